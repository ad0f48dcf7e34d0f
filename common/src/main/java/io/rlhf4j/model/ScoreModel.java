package io.rlhf4j.model;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.util.List;
import java.util.function.UnaryOperator;

/** A transformer with a linear head of one output, without bias: reward model or critic. */
public final class ScoreModel {
    private ScoreModel() {}

    /** The architecture of the backbone. */
    public TransformerConfig config() {
        throw new UnsupportedOperationException();
    }

    /** Where this model came from, for saving it again. */
    public ModelSource source() {
        throw new UnsupportedOperationException();
    }

    /** All units in the order of the forward pass: embedding, blocks, final, score. */
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
    public ScoreModel copy(Scope scope, DType copyType) {
        throw new UnsupportedOperationException();
    }

    /** The backbone of {@code model}, copied, under a fresh head of standard deviation 1 / sqrt(outputSize + 1). */
    public static ScoreModel onBackboneOf(CausalLanguageModel model, Scope scope, DType type, long headSeed) {
        throw new UnsupportedOperationException();
    }

    /**
     * Scores of chosen tokens.
     *
     * @param work holds what the pass needs; nothing of it is left afterwards
     * @param rows packed indices of the tokens, ascending; {@link TokenBatch#lastRows()} for the score of each sequence
     */
    public float[] scores(Scope work, TokenBatch batch, int[] rows) {
        throw new UnsupportedOperationException();
    }

    /**
     * {@link #scores}, and adds the gradient of a loss to the gradients of all parameters that are not frozen.
     *
     * @param gradientOfScores gives the derivatives of the loss with respect to each score
     */
    public float[] scoresAndBackward(
            Scope work, TokenBatch batch, int[] rows, UnaryOperator<float[]> gradientOfScores) {
        throw new UnsupportedOperationException();
    }
}
