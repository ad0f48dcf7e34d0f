package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Tape;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A transformer with a linear head of one output, without bias: reward model or critic. One thread uses it at a time.
 */
public final class ScoreModel implements LayeredModel {
    private final Transformer backbone;
    private final ModelSource source;
    private final ParameterUnit headUnit = new ParameterUnit("score");
    private final Parameter weight;

    private ScoreModel(TransformerConfig config, ModelSource source, DType type) {
        this.backbone = new Transformer(config, type);
        this.source = source;
        Initialisation start = new Initialisation.Normal(1 / Math.sqrt(config.outputSize() + 1.0));
        this.weight = headUnit.declare("weight", start, 1, config.outputSize());
    }

    /** A model whose parameters, held by {@code scope}, are zero until they are loaded or {@link #initialise}d. */
    public ScoreModel(TransformerConfig config, ModelSource source, Scope scope, DType type) {
        this(config, source, type);
        backbone.allocate(scope);
        headUnit.allocate(scope, type);
    }

    /** A model whose parameters somebody else gives memory; {@code scope} holds what passes need beside them. */
    public static ScoreModel unloaded(TransformerConfig config, ModelSource source, Scope scope, DType type) {
        ScoreModel model = new ScoreModel(config, source, type);
        model.backbone.prepare(scope);
        return model;
    }

    /** The units of such a model, without memory: for planning. */
    public static List<ParameterUnit> layout(TransformerConfig config) {
        return new ScoreModel(config, null, DType.FP32).units();
    }

    /** The backbone of {@code model}, copied, under a fresh head of standard deviation 1 / sqrt(outputSize + 1). */
    public static ScoreModel onBackboneOf(CausalLanguageModel model, Scope scope, DType type, long headSeed) {
        ScoreModel scorer = new ScoreModel(model.config(), model.source(), scope, type);
        List<ParameterUnit> from = model.backbone().units();
        List<ParameterUnit> to = scorer.backbone.units();
        for (int i = 0; i < to.size(); i++) {
            to.get(i).copyValues(from.get(i));
        }
        scorer.initialiseHead(headSeed);
        return scorer;
    }

    @Override
    public TransformerConfig config() {
        return backbone.config();
    }

    @Override
    public ModelSource source() {
        return source;
    }

    /** {@inheritDoc} They are embedding, blocks, final, score. */
    @Override
    public List<ParameterUnit> units() {
        List<ParameterUnit> units = new ArrayList<>(backbone.units());
        units.add(headUnit);
        return units;
    }

    @Override
    public List<List<ParameterUnit>> uses() {
        return units().stream().map(List::of).toList();
    }

    /** Element type of the values, and of the activations. */
    public DType type() {
        return backbone.type();
    }

    @Override
    public UnitHooks hooks() {
        return backbone.hooks();
    }

    @Override
    public void setHooks(UnitHooks hooks) {
        backbone.setHooks(hooks);
    }

    @Override
    public void setCheckpointing(ActivationCheckpointing checkpointing) {
        backbone.setCheckpointing(checkpointing);
    }

    /** Sets all parameters as a new model has them: equal seeds give equal values. */
    public void initialise(long seed) {
        units().forEach(unit -> unit.initialise(seed));
    }

    /** Whether {@code unit} is the head, and no part of the backbone. */
    public boolean isHead(ParameterUnit unit) {
        return unit == headUnit;
    }

    /** Gives the head alone fresh values. */
    public void initialiseHead(long seed) {
        headUnit.initialise(seed);
    }

    /** Gives every unit gradients of zero, held by {@code scope}. */
    public void allocateGradients(Scope scope, DType gradientType) {
        units().forEach(unit -> unit.allocateGradients(scope, gradientType));
    }

    /** An equal model whose values are held by {@code scope}, rounded to {@code copyType}; without gradients. */
    public ScoreModel copy(Scope scope, DType copyType) {
        ScoreModel copy = new ScoreModel(config(), source, scope, copyType);
        copy.copyValues(this);
        return copy;
    }

    /** Takes the values of a model of the same architecture, rounded to this model's type. */
    public void copyValues(ScoreModel other) {
        List<ParameterUnit> own = units();
        List<ParameterUnit> others = other.units();
        for (int i = 0; i < own.size(); i++) {
            own.get(i).copyValues(others.get(i));
        }
    }

    /**
     * Scores of chosen tokens.
     *
     * @param work holds what the pass needs; nothing of it is left afterwards
     * @param rows packed indices of the tokens, ascending, each once; {@link TokenBatch#lastRows()} for the score of each
     *     sequence
     */
    public float[] scores(Scope work, TokenBatch batch, int[] rows) {
        try (Tape tape = new Tape(work, Tape.Mode.INFERENCE)) {
            return scoresOf(tape, backbone.forward(new Operations(tape), batch, rows));
        }
    }

    /**
     * {@link #scores}, and adds the gradient of a loss to the gradients of all parameters that are not frozen.
     *
     * @param gradientOfScores gives the derivatives of the loss with respect to each score
     */
    public float[] scoresAndBackward(
            Scope work, TokenBatch batch, int[] rows, UnaryOperator<float[]> gradientOfScores) {
        try (Tape tape = new Tape(work, Tape.Mode.RECORDING)) {
            Variable hidden = backbone.forward(new Operations(tape), batch, rows);
            float[] scores = scoresOf(tape, hidden);
            Tensor scoreGradient = tape.allocate(DType.FP32, rows.length, 1);
            work.backend().write(scoreGradient, gradientOfScores.apply(scores.clone()), 0);
            Tensor hiddenGradient = tape.allocate(type(), hidden.value().shape());
            backbone.hooks().beforeUse(headUnit);
            backbone.hooks().beforeGradients(headUnit);
            work.backend().matmul(scoreGradient, false, weight.value(), false, hiddenGradient, false);
            backbone.hooks().afterUse(headUnit);
            if (weight.gradient() != null) {
                work.backend().matmul(scoreGradient, true, hidden.value(), false, weight.gradient(), true);
            }
            backbone.hooks().gradientsReady(headUnit);
            if (hidden.differentiable()) {
                tape.backward(hidden, hiddenGradient);
            }
            return scores;
        }
    }

    private float[] scoresOf(Tape tape, Variable hidden) {
        Tensor scores = tape.allocate(DType.FP32, hidden.value().rows(), 1);
        backbone.hooks().beforeUse(headUnit);
        tape.backend().matmul(hidden.value(), false, weight.value(), true, scores, false);
        backbone.hooks().afterUse(headUnit);
        return scores.toFloats();
    }
}
