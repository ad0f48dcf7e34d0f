package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.rollout.AnswerSampler;
import io.rlhf4j.workers.rollout.SampledAnswer;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.util.List;

/** Samples answers to some prompts, which the ranks will score: a task that holds the actor alone. */
final class GenerationTask extends ModelTask<SampledAnswer> {
    private static final long serialVersionUID = 1L;

    private final long iteration;
    private final RolloutClock clock;

    /** Answers of an iteration, with the weights of the same number. */
    GenerationTask(TaskSettings settings, long iteration, RolloutClock clock) {
        super(settings, iteration);
        this.iteration = iteration;
        this.clock = clock;
    }

    @Override
    List<SampledAnswer> work(RunConfig config, List<PromptRow> prompts, SlotModels models) {
        WorkPhase.GENERATE.begins("iteration %d, %d prompts".formatted(iteration, prompts.size()));
        long begin = System.nanoTime();
        try (Scope work = models.published().scope().child("rollouts")) {
            List<SampledAnswer> answers = sampler(config, models, work).sample(iteration, prompts, iteration);
            clock.add((System.nanoTime() - begin) * 1e-9, 0, models.published().takeSwitchSeconds());
            return answers;
        }
    }

    static AnswerSampler sampler(RunConfig config, SlotModels models, Scope work) {
        return new AnswerSampler(
                models.published().generator(),
                models.texts().tokenizer(),
                models.texts().endTokens(),
                config.ppo(),
                config.seed(),
                work);
    }
}
