package io.rlhf4j.workers.training;

import io.rlhf4j.advantage.KlEstimator;
import io.rlhf4j.config.KlConfig;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.loss.ImportanceCorrection;
import io.rlhf4j.loss.PolicyLoss;
import io.rlhf4j.loss.PolicyStatistics;
import io.rlhf4j.tensor.TokenGradient;
import java.util.Locale;

/**
 * The actor's loss over the tokens of one micro-batch: the clipped policy loss, less the entropy bonus, and the KL penalty
 * where it is part of the loss. Asked for one token's derivative after the other, it adds up the loss and its statistics.
 */
final class PolicyUpdate implements TokenGradient {
    private final MinibatchTokens tokens;
    private final PpoConfig settings;
    private final PolicyLoss policyLoss;
    private final PolicyStatistics statistics;
    private final KlEstimator penalty;
    private final double penaltyWeight;
    private final ImportanceCorrection correction = new ImportanceCorrection(2);
    private final long stepTokens;
    private double loss;
    private double entropy;
    private final double[] differences;
    private double largestRelativeDifference;

    PolicyUpdate(
            MinibatchTokens tokens, PpoConfig settings, double beta, long stepTokens, PolicyStatistics statistics) {
        this.tokens = tokens;
        this.settings = settings;
        this.stepTokens = stepTokens;
        this.statistics = statistics;
        this.policyLoss = new PolicyLoss(
                settings.clip(), settings.clip(), settings.dualClip().orElse(Double.POSITIVE_INFINITY));
        this.penalty = KlEstimator.valueOf(settings.kl().estimator().name().toUpperCase(Locale.ROOT));
        this.differences = new double[tokens.packed().asked()];
        this.penaltyWeight = settings.kl().place() == KlConfig.Place.LOSS ? beta : 0;
    }

    @Override
    public float ofLogProb(int index, float logProb, float tokenEntropy) {
        double old = settings.rolloutLogProbs() ? tokens.rolloutLogProbs()[index] : tokens.oldLogProbs()[index];
        PolicyLoss.Term term = policyLoss.of(logProb, old, tokens.advantages()[index]);
        double weight = settings.rolloutLogProbs()
                ? correction.weight(tokens.oldLogProbs()[index], tokens.rolloutLogProbs()[index])
                : 1;
        double d = logProb - tokens.referenceLogProbs()[index];
        statistics.add(term, logProb, old);
        loss += weight * term.loss() + penaltyWeight * penalty.value(d) - settings.entropy() * tokenEntropy;
        entropy += tokenEntropy;
        double difference = Math.abs(logProb - tokens.oldLogProbs()[index]);
        differences[index] = difference;
        // Written so that a NaN stays.
        largestRelativeDifference =
                Math.max(largestRelativeDifference, difference / Math.max(1, Math.abs(tokens.oldLogProbs()[index])));
        double derivative = weight * term.derivative() + penaltyWeight * penalty.derivative(d);
        return (float) (derivative / stepTokens);
    }

    @Override
    public float ofEntropy(int index, float logProb, float tokenEntropy) {
        return (float) (-settings.entropy() / stepTokens);
    }

    /** These tokens' share of the step's mean loss. */
    double loss() {
        return loss / stepTokens;
    }

    /** Sum of the tokens' entropies. */
    double entropy() {
        return entropy;
    }

    /** How far each token's log-probability is from the one that the update started with. */
    double[] differences() {
        return differences.clone();
    }

    /** The largest of the differences, in units of the log-probability where that is beyond 1. */
    double largestRelativeDifference() {
        return largestRelativeDifference;
    }
}
