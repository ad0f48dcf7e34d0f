package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.workers.runtime.AssignedGpu;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.WorkerRuntime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;

/**
 * A task of a plain, retryable job that asks the published models about some prompts: in any free slot of its executor,
 * with the models that the slot keeps. A task that fails keeps none.
 */
abstract class ModelTask<T> implements FlatMapFunction<Iterator<PromptRow>, T> {
    private static final long serialVersionUID = 1L;

    private final TaskSettings settings;
    private final long version;

    /** A task with this version of the published weights. */
    ModelTask(TaskSettings settings, long version) {
        this.settings = settings;
        this.version = version;
    }

    /** All prompts together; or each by itself, so that what is computed of it does not depend on which are beside it. */
    private static List<List<PromptRow>> batches(RunConfig config, List<PromptRow> prompts) {
        return config.cluster().batchInvariant()
                ? prompts.stream().map(List::of).toList()
                : List.of(prompts);
    }

    /** What a task makes of prompts of its partition. */
    abstract List<T> work(RunConfig config, List<PromptRow> prompts, SlotModels models);

    @Override
    public final Iterator<T> call(Iterator<PromptRow> rows) throws IOException {
        List<PromptRow> prompts = new ArrayList<>();
        rows.forEachRemaining(prompts::add);
        if (prompts.isEmpty()) {
            return List.<T>of().iterator();
        }
        RunConfig config = settings.config();
        try (Slot.Lease lease = WorkerRuntime.ofThisJvm().leaseAny(AssignedGpu.of(TaskContext.get()));
                SlotModels models = new SlotModels(lease.slot(), settings, config, version)) {
            List<T> results = new ArrayList<>();
            for (List<PromptRow> batch : batches(config, prompts)) {
                results.addAll(work(config, batch, models));
            }
            models.giveBack();
            return results.iterator();
        }
    }
}
