package io.rlhf4j.workers.engine;

import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Pending;
import io.rlhf4j.workers.collective.Shards;
import java.io.IOException;
import java.util.List;

/**
 * A unit on one of the ranks that train it together. Every unit is cut in as many shards as there are ranks, at stage 0
 * too: there the cut only says in which order squares are added up for the norm.
 */
final class TrainedUnit {
    private static final Pending NOTHING = () -> {};

    private final ParameterUnit unit;
    private final ZeroStage stage;
    private final DType gradientType;
    private final Collectives collectives;
    private final Shards shards;
    private final UnitRange shard;
    private final UnitRange updated;
    private final Tensor trained;
    private final OptimizerShard states;
    private final Scope scope;

    TrainedUnit(
            ParameterUnit unit, EngineSettings settings, Optimizer optimizer, Collectives collectives, Scope scope) {
        this.unit = unit;
        this.stage = settings.stage();
        this.gradientType = settings.gradients();
        this.collectives = collectives;
        this.shards = Shards.ofBlocks(unit.elements(), ParameterUnit.ALIGNMENT, collectives.worldSize());
        this.shard = UnitRange.shard(unit, shards, collectives.rank());
        this.updated = stage.cutsStates() ? shard : UnitRange.whole(unit);
        this.trained = unit.values();
        this.states = new OptimizerShard(updated, updated.of(trained), scope, optimizer, settings.emaDecay());
        this.scope = scope;
    }

    /**
     * Sets the gradients to zero.
     *
     * @param several whether some rank has several micro-batches in this step: then gradients are summed in fp32, on all
     *     ranks, for sums of many BF16 terms lose the small ones
     */
    void beginStep(boolean several) {
        DType type = several ? DType.FP32 : gradientType;
        if (unit.gradients() != null && unit.gradients().type() == type) {
            unit.clearGradients();
            return;
        }
        freeGradients();
        unit.allocateGradients(scope, type);
    }

    /** Begins to sum gradients over the ranks: all of them, or those of this rank's shard, in its place. */
    Pending startReduce() {
        Tensor gradients = unit.gradients();
        return stage.cutsStates()
                ? collectives.startReduceScatterSum(gradients, shards, shard.of(gradients))
                : collectives.startAllReduceSum(gradients);
    }

    /** This rank's part of the squared norm of the reduced gradients: that of its shard. */
    double squaredNorm() {
        return unit.gradients().backend().sumOfSquares(shard.of(unit.gradients()));
    }

    void step(long step, double learningRate, double gradientScale) {
        states.step(step, learningRate, gradientScale, updated.of(unit.gradients()));
    }

    /** Begins to collect the weights that the ranks have changed. */
    Pending startGather() {
        return stage.cutsStates() ? collectives.startAllGather(shard.of(trained), shards, trained) : NOTHING;
    }

    List<NamedTensor> tensors() {
        return states.tensors();
    }

    void restore(SavedPieces saved) throws IOException {
        states.restore(saved);
    }

    /** Puts the moving average in the place of the weights; {@code temporary} holds what has to be collected for it. */
    void useAverage(Scope temporary) {
        if (states.average() == null) {
            throw new IllegalStateException("no moving average is kept of unit " + unit.name());
        }
        if (!stage.cutsStates()) {
            unit.setValues(states.average());
            return;
        }
        Tensor whole = temporary.allocate(DType.FP32, unit.elements());
        collectives.allGather(states.average(), shards, whole);
        unit.setValues(whole);
    }

    void useTrained() {
        unit.setValues(trained);
    }

    void freeGradients() {
        if (unit.gradients() != null) {
            scope.free(unit.gradients());
            unit.setGradients(null);
        }
    }
}
