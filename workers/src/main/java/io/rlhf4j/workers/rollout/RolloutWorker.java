package io.rlhf4j.workers.rollout;

import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.util.List;

/** Makes rollouts where all models are at hand: samples answers and scores them, as one pure function. */
public final class RolloutWorker {
    private final AnswerSampler sampler;
    private final AnswerScoring scoring;
    private final PpoConfig settings;

    /** A worker over loaded models. */
    public RolloutWorker(AnswerSampler sampler, AnswerScoring scoring, PpoConfig settings) {
        this.sampler = sampler;
        this.scoring = scoring;
        this.settings = settings;
    }

    /**
     * Rollouts of some prompts, in their order, and how long they took. An answer without a score is left out.
     *
     * @param weightsVersion of the actor, for the rows
     * @param beta weight of the KL penalty
     */
    public TimedRollouts run(long iteration, List<PromptRow> prompts, long weightsVersion, double beta) {
        String what = "iteration %d, %d prompts".formatted(iteration, prompts.size());
        long begin = System.nanoTime();
        WorkPhase.GENERATE.begins(what);
        List<SampledAnswer> sampled = sampler.sample(iteration, prompts, weightsVersion);
        long generated = System.nanoTime();
        WorkPhase.SCORE.begins(what);
        List<Rollout> rollouts = new JudgedRollouts(settings, beta).of(sampled, scoring.judge(sampled));
        long scored = System.nanoTime();
        return new TimedRollouts(rollouts, (generated - begin) * 1e-9, (scored - generated) * 1e-9);
    }
}
