package io.rlhf4j.loss;

/** How per-token losses become one number: the weight of each token of a sequence. */
public enum Aggregation {
    /** The mean over all tokens of the batch: every token counts alike. */
    TOKEN_MEAN {
        @Override
        public double weight(long sequenceTokens, long batchTokens, int sequences, int maxLength) {
            return 1.0 / batchTokens;
        }
    },
    /** The mean over sequences of their means: every sequence counts alike. */
    SEQUENCE_MEAN_OF_TOKEN_MEANS {
        @Override
        public double weight(long sequenceTokens, long batchTokens, int sequences, int maxLength) {
            return 1.0 / sequenceTokens / sequences;
        }
    },
    /** The mean over sequences of their sums. */
    SEQUENCE_MEAN_OF_TOKEN_SUMS {
        @Override
        public double weight(long sequenceTokens, long batchTokens, int sequences, int maxLength) {
            return 1.0 / sequences;
        }
    },
    /** The sum over a fixed length, so that long answers are not favoured (Liu et al. 2025, Dr. GRPO). */
    SUM_OVER_FIXED_LENGTH {
        @Override
        public double weight(long sequenceTokens, long batchTokens, int sequences, int maxLength) {
            return 1.0 / sequences / maxLength;
        }
    };

    /**
     * The weight of one token.
     *
     * @param sequenceTokens tokens that count in its sequence
     * @param batchTokens tokens that count in the whole optimizer step, over all ranks and micro-batches
     * @param sequences sequences of the whole optimizer step
     * @param maxLength most tokens that a response may have
     */
    public abstract double weight(long sequenceTokens, long batchTokens, int sequences, int maxLength);
}
