package io.rlhf4j.model;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;
import java.util.List;

/** A transformer that says how probable each next token is: actor, reference, or the model that SFT trains. */
public final class CausalLanguageModel {
    private CausalLanguageModel() {}

    /** The architecture. */
    public TransformerConfig config() {
        throw new UnsupportedOperationException();
    }

    /** Where this model came from, for saving it again. */
    public ModelSource source() {
        throw new UnsupportedOperationException();
    }

    /** All units in the order of the forward pass: embedding, blocks, final, head (where it has weights of its own). */
    public List<ParameterUnit> units() {
        throw new UnsupportedOperationException();
    }

    /** Element type of the values, and of the activations. */
    public DType type() {
        throw new UnsupportedOperationException();
    }

    /** Installs what happens around the use of each unit. */
    public void setHooks(UnitHooks hooks) {
        throw new UnsupportedOperationException();
    }

    /** Gives every unit gradients of zero, held by {@code scope}. */
    public void allocateGradients(Scope scope, DType gradientType) {
        throw new UnsupportedOperationException();
    }

    /** An equal model whose values are held by {@code scope}, rounded to {@code copyType}; without gradients. */
    public CausalLanguageModel copy(Scope scope, DType copyType) {
        throw new UnsupportedOperationException();
    }

    /**
     * Log-probabilities of chosen tokens.
     *
     * @param work holds what the pass needs; nothing of it is left afterwards
     * @param rows packed indices of the tokens whose next-token distribution is asked for, ascending
     * @param targets the token chosen at each of these rows
     * @param temperature divides the logits
     * @param entropies whether to compute entropies too
     */
    public TokenLogProbs logProbs(
            Scope work, TokenBatch batch, int[] rows, int[] targets, float temperature, boolean entropies) {
        throw new UnsupportedOperationException();
    }

    /**
     * {@link #logProbs}, and adds the gradient of a loss to the gradients of all parameters that are not frozen.
     *
     * @param gradient derivatives of the loss with respect to the log-probability (and entropy) of each row
     */
    public TokenLogProbs logProbsAndBackward(
            Scope work,
            TokenBatch batch,
            int[] rows,
            int[] targets,
            float temperature,
            TokenGradient gradient,
            boolean entropies) {
        throw new UnsupportedOperationException();
    }

    /**
     * Runs new tokens of some sequences, prompts and single tokens alike, over the cache, which holds them afterwards.
     *
     * @param newIds the new tokens of each sequence, at least one
     * @return hidden state of the last new token of each sequence, [sequences, outputSize], held by {@code work}
     */
    public Tensor extend(Scope work, KvCache cache, List<CachedSequence> sequences, List<int[]> newIds) {
        throw new UnsupportedOperationException();
    }

    /** The head, for {@link io.rlhf4j.tensor.Backend#logits} and {@link io.rlhf4j.tensor.Backend#tokenLogProbs}. */
    public LanguageHead head(float temperature) {
        throw new UnsupportedOperationException();
    }
}
