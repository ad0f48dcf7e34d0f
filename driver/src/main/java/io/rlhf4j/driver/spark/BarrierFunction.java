package io.rlhf4j.driver.spark;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.runtime.AssignedGpu;
import io.rlhf4j.workers.runtime.RankAgreement;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.RankOutcome;
import io.rlhf4j.workers.runtime.RankTask;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkerRuntime;
import java.io.Serializable;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.storage.BlockManagerId;
import scala.collection.Iterator;
import scala.collection.Iterator$;
import scala.runtime.AbstractFunction1;

/** One task of a barrier job: agrees on its rank, joins the group, works, and tells how it ended. */
final class BarrierFunction extends AbstractFunction1<Iterator<Object>, Iterator<RankOutcome>> implements Serializable {
    private static final long serialVersionUID = 1L;

    private final RankGroup group;
    private final String holding;
    private final StateId state;
    private final RankTask<?> task;
    private final HashMap<String, List<Integer>> before;

    /** @param before the ranks of executors in the job before */
    BarrierFunction(
            RankGroup group, String holding, StateId state, RankTask<?> task, Map<String, List<Integer>> before) {
        this.group = group;
        this.holding = holding;
        this.state = state;
        this.task = task;
        this.before = new HashMap<>(before);
    }

    @Override
    public Iterator<RankOutcome> apply(Iterator<Object> place) {
        BarrierTaskContext context = BarrierTaskContext.get();
        WorkerRuntime runtime = WorkerRuntime.ofThisJvm();
        BlockManagerId here = SparkEnv.get().blockManager().blockManagerId();
        Optional<String> gpu = AssignedGpu.of(context);
        try (RankGroup.Door door = group.open(context.getTaskInfos().length)) {
            String own = new RankAgreement.Claim(
                            runtime.id(),
                            here.executorId(),
                            here.host(),
                            gpu,
                            door.address(),
                            runtime.holding(holding, state, gpu))
                    .format();
            List<RankAgreement.Claim> claims = Arrays.stream(PromptGather.allGather(context, own))
                    .map(RankAgreement.Claim::parse)
                    .toList();
            return Iterator$.MODULE$.single(outcome(runtime, door, here, claims, context.partitionId()));
        }
    }

    private RankOutcome outcome(
            WorkerRuntime runtime,
            RankGroup.Door door,
            BlockManagerId here,
            List<RankAgreement.Claim> claims,
            int place) {
        RankAgreement agreement = RankAgreement.of(claims, before);
        int rank = agreement.ranks().get(place);
        try {
            RankAgreement.requireOneGpuEach(claims);
            try (Slot.Lease lease = runtime.slot(rank).lease(claims.get(place).gpu());
                    Collectives collectives = door.join(runtime, rank, claims, agreement)) {
                return work(new RankContext(collectives, lease.slot(), agreement.complete()), here);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return RankOutcome.failed(rank, here.host(), here.executorId(), interrupted);
        } catch (Rlhf4jException apart) {
            return RankOutcome.failed(rank, here.host(), here.executorId(), apart);
        }
    }

    private RankOutcome work(RankContext context, BlockManagerId here) {
        try {
            return RankOutcome.done(context.rank(), here.host(), here.executorId(), task.run(context));
        } catch (VirtualMachineError fatal) {
            context.collectives().abort(fatal);
            throw fatal;
        } catch (Throwable failed) {
            context.collectives().abort(failed);
            return RankOutcome.failed(context.rank(), here.host(), here.executorId(), failed);
        }
    }
}
