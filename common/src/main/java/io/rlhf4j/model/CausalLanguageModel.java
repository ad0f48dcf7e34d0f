package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Tape;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;
import java.util.ArrayList;
import java.util.List;

/**
 * A transformer that says how probable each next token is: actor, reference, or the model that SFT trains. One thread uses
 * it at a time.
 */
public final class CausalLanguageModel implements LayeredModel {
    private final Transformer backbone;
    private final ModelSource source;
    private final ParameterUnit headUnit;
    private final Parameter weight;
    private final Parameter bias;

    private CausalLanguageModel(TransformerConfig config, ModelSource source, DType type) {
        this.backbone = new Transformer(config, type);
        this.source = source;
        ParameterUnit head = new ParameterUnit("head");
        this.weight = config.head().tied()
                ? backbone.tokenEmbedding()
                : head.declare(
                        "weight",
                        new Initialisation.Normal(config.initializerRange()),
                        config.vocabSize(),
                        config.outputSize());
        this.bias = config.head().bias() ? head.declare("bias", Initialisation.ZEROS, config.vocabSize()) : null;
        this.headUnit = head.parameters().isEmpty() ? null : head;
    }

    /** A model whose parameters, held by {@code scope}, are zero until they are loaded or {@link #initialise}d. */
    public CausalLanguageModel(TransformerConfig config, ModelSource source, Scope scope, DType type) {
        this(config, source, type);
        backbone.allocate(scope);
        if (headUnit != null) {
            headUnit.allocate(scope, type);
        }
    }

    /** A model whose parameters somebody else gives memory; {@code scope} holds what passes need beside them. */
    public static CausalLanguageModel unloaded(TransformerConfig config, ModelSource source, Scope scope, DType type) {
        CausalLanguageModel model = new CausalLanguageModel(config, source, type);
        model.backbone.prepare(scope);
        return model;
    }

    /** The units of such a model, without memory: for planning. */
    public static List<ParameterUnit> layout(TransformerConfig config) {
        return new CausalLanguageModel(config, null, DType.FP32).units();
    }

    @Override
    public TransformerConfig config() {
        return backbone.config();
    }

    @Override
    public ModelSource source() {
        return source;
    }

    /** {@inheritDoc} They are embedding, blocks, final, head (where it has weights of its own). */
    @Override
    public List<ParameterUnit> units() {
        List<ParameterUnit> units = new ArrayList<>(backbone.units());
        if (headUnit != null) {
            units.add(headUnit);
        }
        return units;
    }

    @Override
    public List<List<ParameterUnit>> uses() {
        List<List<ParameterUnit>> uses = new ArrayList<>();
        backbone.units().forEach(unit -> uses.add(List.of(unit)));
        uses.add(headUnits());
        return uses;
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
        units().parallelStream().forEach(unit -> unit.initialise(seed));
    }

    /** Gives every unit gradients of zero, held by {@code scope}. */
    public void allocateGradients(Scope scope, DType gradientType) {
        units().forEach(unit -> unit.allocateGradients(scope, gradientType));
    }

    /** An equal model whose values are held by {@code scope}, rounded to {@code copyType}; without gradients. */
    public CausalLanguageModel copy(Scope scope, DType copyType) {
        CausalLanguageModel copy = new CausalLanguageModel(config(), source, scope, copyType);
        copy.copyValues(units());
        return copy;
    }

    /** Takes the values of a model of the same architecture, rounded to this model's type. */
    public void copyValues(CausalLanguageModel other) {
        copyValues(other.units());
    }

    private void copyValues(List<ParameterUnit> others) {
        List<ParameterUnit> own = units();
        for (int i = 0; i < own.size(); i++) {
            own.get(i).copyValues(others.get(i));
        }
    }

    Transformer backbone() {
        return backbone;
    }

    /**
     * Lays the weights of all linear layers and of the head out for decoding until the result is closed. Meanwhile the
     * model's values must not change.
     *
     * @param scope holds the copies
     * @param form of the copies; there are none of {@code PLAIN}
     */
    public PackedWeights pack(Scope scope, DecodingWeights form) {
        return new PackedWeights(scope, form == DecodingWeights.PLAIN ? List.of() : packable(), form, hooks());
    }

    /** How many elements {@link #pack} copies of such a model: for planning. */
    public static long packedElements(TransformerConfig config) {
        return new CausalLanguageModel(config, null, DType.FP32)
                .packable().stream().mapToLong(Parameter::elements).sum();
    }

    private List<Parameter> packable() {
        List<Parameter> weights = new ArrayList<>(backbone.linearWeights());
        weights.add(weight);
        return weights;
    }

    /**
     * Log-probabilities of chosen tokens.
     *
     * @param work holds what the pass needs; nothing of it is left afterwards
     * @param rows packed indices of the tokens whose next-token distribution is asked for, ascending, each once
     * @param targets the token chosen at each of these rows
     * @param temperature divides the logits
     * @param entropies whether to compute entropies too
     */
    public TokenLogProbs logProbs(
            Scope work, TokenBatch batch, int[] rows, int[] targets, float temperature, boolean entropies) {
        try (Tape tape = new Tape(work, Tape.Mode.INFERENCE)) {
            Variable hidden = backbone.forward(new Operations(tape), batch, rows);
            TokenLogProbs results =
                    new TokenLogProbs(new float[rows.length], entropies ? new float[rows.length] : null);
            beforeHead();
            work.backend()
                    .tokenLogProbs(head(temperature), hidden.value(), targets, results.logProbs(), results.entropies());
            afterHead();
            return results;
        }
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
        try (Tape tape = new Tape(work, Tape.Mode.RECORDING)) {
            Variable hidden = backbone.forward(new Operations(tape), batch, rows);
            TokenLogProbs results =
                    new TokenLogProbs(new float[rows.length], entropies ? new float[rows.length] : null);
            Tensor hiddenGradient = tape.allocate(type(), hidden.value().shape());
            beforeHead();
            headUnits().forEach(backbone.hooks()::beforeGradients);
            work.backend()
                    .tokenLogProbsWithGradient(
                            head(temperature),
                            hidden.value(),
                            targets,
                            gradient,
                            results.logProbs(),
                            results.entropies(),
                            hiddenGradient,
                            weight.gradient(),
                            bias == null ? null : bias.gradient());
            afterHead();
            if (headUnit != null) {
                backbone.hooks().gradientsReady(headUnit);
            }
            if (hidden.differentiable()) {
                tape.backward(hidden, hiddenGradient);
            }
            return results;
        }
    }

    /**
     * Runs new tokens of some sequences, prompts and single tokens alike, over the cache, which holds them afterwards.
     *
     * @param newIds the new tokens of each sequence, at least one
     * @return hidden state of the last new token of each sequence, [sequences, outputSize], held by {@code work}
     */
    public Tensor extend(Scope work, KvCache cache, List<CachedSequence> sequences, List<int[]> newIds) {
        return backbone.extend(work, cache, sequences, newIds);
    }

    /**
     * A pass that extends as many sequences as {@code logits} has rows by a token each, to be run again and again.
     *
     * @param work holds what passes need
     * @param blocksOfSequence the most blocks that one of the sequences takes
     * @param logits [rows, vocab] fp32, set by every run
     */
    public DecodingStep decodingStep(Scope work, KvCache cache, int blocksOfSequence, Tensor logits) {
        return new DecodingStep(this, work, cache, blocksOfSequence, logits);
    }

    /** The head, for {@link io.rlhf4j.tensor.Backend#logits} and {@link io.rlhf4j.tensor.Backend#tokenLogProbs}. */
    public LanguageHead head(float temperature) {
        return new LanguageHead(
                weight.factor(),
                bias == null ? null : bias.value(),
                config().head().softcap(),
                temperature);
    }

    /** Where the head's weight and bias lie: where the weight is the embedding's, the bias has a unit of its own. */
    private List<ParameterUnit> headUnits() {
        return headUnit == null || headUnit == weight.unit()
                ? List.of(weight.unit())
                : List.of(weight.unit(), headUnit);
    }

    private void beforeHead() {
        headUnits().forEach(backbone.hooks()::beforeUse);
    }

    private void afterHead() {
        headUnits().forEach(backbone.hooks()::afterUse);
    }
}
