package io.rlhf4j.driver.bench;

import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.DecodingWeights;
import io.rlhf4j.model.KvCache;
import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.tensor.DType;
import java.util.stream.IntStream;

/**
 * What a causal language model has to multiply and to read, whoever does it: a product of m x k by k x n is 2 m k n
 * operations, causal attention sees half of all pairs, a backward pass is two forward passes, and what is computed a second
 * time to save memory counts once. Norms and the like are left out.
 *
 * @param config of the model
 * @param type of its weights and of its cache
 * @param decoding how generation reads the weights
 */
record ModelWork(TransformerConfig config, DType type, DecodingWeights decoding) {
    ModelWork(TransformerConfig config, DType type) {
        this(config, type, DecodingWeights.PACKED);
    }

    /** Operations of a forward pass over whole sequences, with the head for some rows. */
    double forward(long headRows, int... lengths) {
        double tokens = IntStream.of(lengths).sum();
        double pairs = IntStream.of(lengths)
                .mapToDouble(length -> 0.5 * length * length)
                .sum();
        double headElements = (double) config.vocabSize() * config.outputSize();
        double attention =
                4.0 * pairs * config.attention().heads() * config.attention().headDim() * config.layers();
        return 2 * (weights() - headElements) * tokens + 2 * headElements * headRows + attention;
    }

    /** Operations of forward and backward pass. */
    double training(long headRows, int... lengths) {
        return 3 * forward(headRows, lengths);
    }

    /**
     * The least seconds for answers, one pass over the weights for each token of all of them. A pass takes as long as its
     * reading or as its multiplying, whichever is longer.
     *
     * @param prompt tokens of each prompt
     * @param answers tokens of each answer
     */
    double generationSeconds(MachineLimits limits, int prompt, int... answers) {
        int[] prompts = IntStream.of(answers).map(answer -> prompt).toArray();
        double seconds = forward(answers.length, prompts) / limits.flopsPerSecond();
        int longest = IntStream.of(answers).max().orElse(0);
        // The first token of an answer comes with its prompt.
        for (int step = 1; step < longest; step++) {
            int made = step;
            long rows = IntStream.of(answers).filter(answer -> answer > made).count();
            double bytes = weights() * decoding.bytes(type) + KvCache.bytes(config, type, rows * (prompt + step));
            double pairs = (double) rows * (prompt + step);
            double flops = 2 * weights() * rows
                    + 4.0
                            * pairs
                            * config.attention().heads()
                            * config.attention().headDim()
                            * config.layers();
            seconds += Math.max(bytes / limits.bytesPerSecond(), flops / limits.flopsPerSecond());
        }
        return seconds;
    }

    /** Elements that every token is multiplied by, the head's included. */
    private double weights() {
        return CausalLanguageModel.packedElements(config);
    }
}
