package io.rlhf4j.workers.rollout;

import io.rlhf4j.advantage.GeneralizedAdvantage;
import io.rlhf4j.advantage.KlEstimator;
import io.rlhf4j.advantage.RewardShaping;
import io.rlhf4j.config.KlConfig;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.data.Rollout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What an update starts from: answers with what was said of them, and the rewards and advantages that follow from it. */
public final class JudgedRollouts {
    private final PpoConfig settings;
    private final double beta;

    /**
     * Of one iteration.
     *
     * @param beta weight of the KL penalty
     */
    public JudgedRollouts(PpoConfig settings, double beta) {
        this.settings = settings;
        this.beta = beta;
    }

    /** The answers that have a judgement, in their order. */
    public List<Rollout> of(List<SampledAnswer> answers, List<Optional<Judgement>> judgements) {
        List<Rollout> rollouts = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            Rollout rollout = answers.get(i).rollout();
            judgements.get(i).ifPresent(judgement -> rollouts.add(of(rollout, judgement)));
        }
        return rollouts;
    }

    private Rollout of(Rollout rollout, Judgement judgement) {
        double penalty = settings.kl().place() == KlConfig.Place.REWARD ? beta : 0;
        RewardShaping shaping =
                new RewardShaping(KlEstimator.valueOf(settings.kl().estimator().name()), settings.scoreClip());
        double[] rewards = shaping.rewards(
                doubles(judgement.oldLogProbs()),
                doubles(judgement.referenceLogProbs()),
                rollout.mask(),
                judgement.score(),
                penalty);
        GeneralizedAdvantage.Estimate estimate = new GeneralizedAdvantage(settings.gamma(), settings.lambda())
                .of(rewards, doubles(judgement.values()), rollout.mask(), 0);
        return rollout.withScore(judgement.score(), judgement.parts())
                .withTraining(
                        judgement.oldLogProbs(),
                        judgement.referenceLogProbs(),
                        judgement.values(),
                        floats(rewards),
                        floats(estimate.advantages()),
                        floats(estimate.returns()));
    }

    private static double[] doubles(float... values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    private static float[] floats(double... values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }
}
