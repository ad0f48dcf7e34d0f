package io.rlhf4j.model;

import io.rlhf4j.tensor.Activation;
import java.util.Collections;
import java.util.List;

/**
 * Everything that tells one decoder-only transformer from another.
 *
 * @param vocabSize token ids are below this
 * @param hiddenSize width of the residual stream
 * @param embedding how tokens enter
 * @param positions how a token knows its place
 * @param maxPositions tokens of the longest sequence it is made for; longer ones are refused. 0 where config.json does not
 *     say
 * @param attention heads and scores
 * @param windows for each block how many positions back a token sees, itself included; 0 for all. Its size is the number
 *     of blocks
 * @param feedForward the feed-forward layers
 * @param norm the normalisation layers
 * @param layout where the norms of a block stand
 * @param finalNorm whether a norm follows the last block
 * @param head how hidden states become logits
 * @param initializerRange standard deviation of new weights
 */
public record TransformerConfig(
        int vocabSize,
        int hiddenSize,
        Embedding embedding,
        PositionEncoding positions,
        int maxPositions,
        Attention attention,
        List<Integer> windows,
        FeedForward feedForward,
        Norm norm,
        BlockLayout layout,
        boolean finalNorm,
        Head head,
        double initializerRange) {
    public TransformerConfig {
        windows = List.copyOf(windows);
    }

    /**
     * How tokens enter.
     *
     * @param size width of the token embedding; where it is not hiddenSize, projections stand before the first and after
     *     the last block (OPT-350m)
     * @param scale factor of the embedding (Gemma), else 1
     * @param norm whether a norm follows (BLOOM)
     */
    public record Embedding(int size, float scale, boolean norm) {}

    /**
     * Heads and scores.
     *
     * @param heads query heads
     * @param kvHeads key and value heads
     * @param headDim columns of one head
     * @param scale factor of q.k
     * @param softcap see {@link io.rlhf4j.tensor.AttentionSpec}; 0 for none
     * @param inputBias whether the projections to q, k and v have biases
     * @param outputBias whether the output projection has one
     * @param headNorms whether every query and key head is normalised before it is rotated (Qwen3)
     */
    public record Attention(
            int heads,
            int kvHeads,
            int headDim,
            float scale,
            float softcap,
            boolean inputBias,
            boolean outputBias,
            boolean headNorms) {
        /** Columns of the fused projection to q, k and v. */
        public int projectedSize() {
            return (heads + 2 * kvHeads) * headDim;
        }
    }

    /**
     * The feed-forward layers.
     *
     * @param size inner width
     * @param activation between them
     * @param gated whether a second projection is multiplied with the activation (SwiGLU and its like)
     * @param bias whether they have biases
     */
    public record FeedForward(int size, Activation activation, boolean gated, boolean bias) {}

    /**
     * The normalisation layers.
     *
     * @param kind which
     * @param epsilon added to the variance
     * @param weightOffset added to the weight (1 for Gemma)
     */
    public record Norm(Kind kind, float epsilon, float weightOffset) {
        /** Kinds of normalisation. */
        public enum Kind {
            LAYER,
            RMS
        }
    }

    /** Where the norms of a block stand. */
    public enum BlockLayout {
        /** {@code x + f(norm(x))}, attention then feed-forward. */
        PRE_NORM,
        /** {@code norm(x + f(x))}, attention then feed-forward (OPT-350m). */
        POST_NORM,
        /** {@code x + norm(f(norm(x)))}, attention then feed-forward (Gemma 2). */
        SANDWICH,
        /** {@code x + attention(norm(x)) + feedForward(norm(x))} with one norm (GPT-J, Phi). */
        PARALLEL,
        /** The same with a norm for each (GPT-NeoX). */
        PARALLEL_TWO_NORMS
    }

    /**
     * How hidden states become logits.
     *
     * @param tied whether the token embedding is the weight
     * @param bias whether a bias is added
     * @param softcap see {@link io.rlhf4j.tensor.LanguageHead}; 0 for none
     */
    public record Head(boolean tied, boolean bias, float softcap) {}

    /** The number of blocks. */
    public int layers() {
        return windows.size();
    }

    /** Width of the hidden states that heads see. */
    public int outputSize() {
        return embedding.size();
    }

    /** Whether projections stand around the blocks. */
    public boolean projected() {
        return embedding.size() != hiddenSize;
    }

    /** {@code layers} windows of one width. */
    public static List<Integer> sameWindow(int layers, int window) {
        return Collections.nCopies(layers, window);
    }
}
