package io.rlhf4j.sampling;

import io.rlhf4j.config.SamplingConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * Chooses the next token of a sample from a row of logits, and tells its log-probability: that of the token under the
 * softmax of logits / temperature over the whole vocabulary, whatever the processors removed, because that is the
 * distribution that training looks at.
 */
public final class TokenSampler {
    private final List<LogitsProcessor> penalties = new ArrayList<>();
    private final List<LogitsProcessor> restrictions = new ArrayList<>();
    private final boolean greedy;
    private final double temperature;
    private final double[] scores;
    private double logSumExp;

    /**
     * @param vocabulary length of a row of logits
     * @param eosIds tokens that end a sample
     */
    public TokenSampler(SamplingConfig settings, int vocabulary, int[] eosIds) {
        greedy = settings.greedy();
        temperature = greedy ? 1 : settings.temperature();
        scores = new double[vocabulary];
        if (settings.repetitionPenalty() != 1) {
            penalties.add(new LogitsProcessor.RepetitionPenalty(settings.repetitionPenalty()));
        }
        if (settings.minNewTokens() > 0) {
            penalties.add(new LogitsProcessor.MinimumNewTokens(settings.minNewTokens(), eosIds));
        }
        if (settings.topK() > 0) {
            restrictions.add(new LogitsProcessor.TopK(settings.topK()));
        }
        if (settings.topP() < 1) {
            restrictions.add(new LogitsProcessor.TopP(settings.topP()));
        }
        if (settings.minP() > 0) {
            restrictions.add(new LogitsProcessor.MinP(settings.minP()));
        }
    }

    /** Whether tokens are drawn from the softmax as it is: no penalty, no restriction, not the most probable one. */
    public boolean plain() {
        return !greedy && penalties.isEmpty() && restrictions.isEmpty();
    }

    /**
     * The next token.
     *
     * @param logits rows of logits; the one at {@code offset} counts
     * @param uniform a random number in [0, 1)
     */
    public int sample(float[] logits, int offset, TokenHistory history, double uniform) {
        if (plain()) {
            return draw(exponentials(logits, offset), uniform);
        }
        exponentials(logits, offset);
        for (int i = 0; i < scores.length; i++) {
            scores[i] = logits[offset + i];
        }
        penalties.forEach(processor -> processor.process(scores, history));
        if (greedy) {
            return largest();
        }
        if (temperature != 1) {
            new LogitsProcessor.Temperature(temperature).process(scores, history);
        }
        restrictions.forEach(processor -> processor.process(scores, history));
        double largest = scores[largest()];
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = scores[i] == Double.NEGATIVE_INFINITY ? 0 : Math.exp(scores[i] - largest);
            sum += scores[i];
        }
        return draw(sum, uniform);
    }

    /** Log-probability of a token under the row that was sampled last. */
    public float logProb(float[] logits, int offset, int token) {
        return (float) (logits[offset + token] / temperature - logSumExp);
    }

    /** Leaves exp(logit / temperature - the largest) in the scores; their sum. */
    private double exponentials(float[] logits, int offset) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < scores.length; i++) {
            largest = Math.max(largest, logits[offset + i]);
        }
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Math.exp((logits[offset + i] - largest) / temperature);
            sum += scores[i];
        }
        logSumExp = largest / temperature + Math.log(sum);
        return sum;
    }

    private int largest() {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            if (scores[i] > scores[best]) {
                best = i;
            }
        }
        return best;
    }

    /** The token at which the running sum of the scores passes its share of {@code sum}. */
    private int draw(double sum, double uniform) {
        double left = uniform * sum;
        int last = 0;
        for (int i = 0; i < scores.length; i++) {
            if (scores[i] > 0) {
                last = i;
                left -= scores[i];
                if (left < 0) {
                    return i;
                }
            }
        }
        return last;
    }
}
