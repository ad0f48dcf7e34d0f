package io.rlhf4j.data;

import java.io.Serializable;
import java.util.Map;

/**
 * One sampled answer with everything that a PPO update needs to know about it; a row of the rollout table. Arrays
 * without another remark have one entry for each response token.
 *
 * @param key the prompt row's stable name within its source
 * @param source the source's name
 * @param sample which of the prompt's samples, from 0
 * @param prompt [promptLength] token ids
 * @param response [responseLength] sampled token ids, the end token included where it came; at least one
 * @param mask which response tokens are trained on; the others (inserted by a tool, say) are context only
 * @param rolloutLogProbs log-probabilities as generation saw them
 * @param oldLogProbs of the actor's training forward, with which the update starts
 * @param referenceLogProbs of the reference model; zeros where there is none
 * @param values of the critic, before each token
 * @param score what the whole answer is worth, not clipped
 * @param parts of the score by name, before their weights
 * @param rewards token by token: KL penalty, and at the last token the clipped score
 * @param advantages generalised advantage estimates, not whitened
 * @param returns the critic's targets
 * @param weightsVersion version of the actor that answered
 * @param finish why the answer ended
 */
public record Rollout(
        String key,
        String source,
        int sample,
        int[] prompt,
        int[] response,
        boolean[] mask,
        float[] rolloutLogProbs,
        float[] oldLogProbs,
        float[] referenceLogProbs,
        float[] values,
        double score,
        Map<String, Double> parts,
        float[] rewards,
        float[] advantages,
        float[] returns,
        long weightsVersion,
        Finish finish)
        implements TokenRow, Serializable {
    public Rollout {
        requireLength(key, response.length, mask.length, "mask");
        requireLength(key, response.length, rolloutLogProbs.length, "rolloutLogProbs");
        requireLength(key, response.length, oldLogProbs.length, "oldLogProbs");
        requireLength(key, response.length, referenceLogProbs.length, "referenceLogProbs");
        requireLength(key, response.length, values.length, "values");
        requireLength(key, response.length, rewards.length, "rewards");
        requireLength(key, response.length, advantages.length, "advantages");
        requireLength(key, response.length, returns.length, "returns");
        parts = Map.copyOf(parts);
    }

    /** Why an answer ended. */
    public enum Finish {
        /** The end token was sampled. */
        EOS,
        /** A stop text was written. */
        STOP,
        /** The limit was reached: the answer is cut. */
        LENGTH
    }

    private static void requireLength(String key, int expected, int actual, String what) {
        if (actual != expected) {
            throw new IllegalArgumentException(
                    "rollout %s: %d response tokens, %d %s".formatted(key, expected, actual, what));
        }
    }

    /** This rollout with its score. */
    public Rollout withScore(double newScore, Map<String, Double> newParts) {
        return new Rollout(
                key,
                source,
                sample,
                prompt,
                response,
                mask,
                rolloutLogProbs,
                oldLogProbs,
                referenceLogProbs,
                values,
                newScore,
                newParts,
                rewards,
                advantages,
                returns,
                weightsVersion,
                finish);
    }

    /** This rollout with what the update starts from. */
    public Rollout withTraining(
            float[] newOldLogProbs,
            float[] newReferenceLogProbs,
            float[] newValues,
            float[] newRewards,
            float[] newAdvantages,
            float[] newReturns) {
        return new Rollout(
                key,
                source,
                sample,
                prompt,
                response,
                mask,
                rolloutLogProbs,
                newOldLogProbs,
                newReferenceLogProbs,
                newValues,
                score,
                parts,
                newRewards,
                newAdvantages,
                newReturns,
                weightsVersion,
                finish);
    }

    @Override
    public int tokens() {
        return prompt.length + response.length;
    }

    /** How many response tokens are trained on. */
    public int trainedTokens() {
        int count = 0;
        for (boolean each : mask) {
            count += each ? 1 : 0;
        }
        return count;
    }
}
