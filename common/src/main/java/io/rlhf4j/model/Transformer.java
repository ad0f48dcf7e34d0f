package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Tape;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A decoder-only transformer (Vaswani et al. 2017; Radford et al. 2019) up to its last hidden states: embedding, blocks,
 * final norm. {@link CausalLanguageModel} and {@link ScoreModel} put a head on it.
 */
final class Transformer {
    /** Tokens of a tile of matrix products. */
    private static final int TILE = 16;

    /** From so many tokens on a part of a tile more costs nothing. */
    private static final int WORTH_FILLING = 64;

    private final TransformerConfig config;
    private final DType type;
    private final TokenEmbedding embedding;
    private final List<TransformerBlock> blocks = new ArrayList<>();
    private final ParameterUnit finalUnit = new ParameterUnit("final");
    private final Normalization finalNorm;
    private final Projection finalProjection;
    private RotaryTable rotary;
    private UnitHooks hooks = UnitHooks.NONE;
    private ActivationCheckpointing checkpointing = ActivationCheckpointing.OFF;

    /** A transformer without memory for its parameters. */
    Transformer(TransformerConfig config, DType type) {
        this.config = config;
        this.type = type;
        this.embedding = new TokenEmbedding(config);
        for (int layer = 0; layer < config.layers(); layer++) {
            blocks.add(new TransformerBlock(config, layer));
        }
        this.finalNorm =
                config.finalNorm() ? new Normalization(config.norm(), finalUnit, "norm", config.hiddenSize()) : null;
        this.finalProjection = config.projected()
                ? new Projection(
                        finalUnit,
                        "projection",
                        config.outputSize(),
                        config.hiddenSize(),
                        false,
                        config.initializerRange())
                : null;
    }

    /** Gives the parameters values of zero, held by {@code scope}. */
    void allocate(Scope scope) {
        units().forEach(unit -> unit.allocate(scope, type));
        prepare(scope);
    }

    /** Makes ready what passes need beside the parameters, which somebody else gives values. */
    void prepare(Scope scope) {
        rotary = config.positions() instanceof PositionEncoding.Rotary encoding
                ? new RotaryTable(scope, config.attention().headDim(), encoding)
                : null;
    }

    TransformerConfig config() {
        return config;
    }

    DType type() {
        return type;
    }

    UnitHooks hooks() {
        return hooks;
    }

    void setHooks(UnitHooks hooks) {
        this.hooks = hooks;
    }

    void setCheckpointing(ActivationCheckpointing checkpointing) {
        this.checkpointing = checkpointing;
    }

    Parameter tokenEmbedding() {
        return embedding.tokens();
    }

    /** Embedding, blocks, and final where it has parameters. */
    List<ParameterUnit> units() {
        List<ParameterUnit> units = new ArrayList<>();
        units.add(embedding.unit());
        blocks.forEach(block -> units.add(block.unit()));
        if (!finalUnit.parameters().isEmpty()) {
            units.add(finalUnit);
        }
        return units;
    }

    /** The weights of all linear layers: the matrices of every unit but the embedding. */
    List<Parameter> linearWeights() {
        return units().stream()
                .filter(unit -> unit != embedding.unit())
                .flatMap(unit -> unit.parameters().stream())
                .filter(parameter -> parameter.shape().length == 2)
                .toList();
    }

    /** Last hidden states of chosen tokens, [rows, outputSize]. */
    Variable forward(Operations operations, TokenBatch batch, int[] rows) {
        TokenBatch filled = batch.tokens() < WORTH_FILLING ? batch : batch.filledTo(TILE);
        Attending attending = new Attending.WithinBatch(filled.starts());
        return forward(operations, filled.ids(), filled.positions(), attending, rows);
    }

    /** Makes tables for sequences of so many tokens, so that none is made anew while they grow. */
    void prepareFor(int tokens) {
        if (rotary != null) {
            rotary.upTo(tokens);
        }
    }

    /** Last hidden state of one new token of each sequence, for which the cache has grown, [sequences, outputSize]. */
    Variable decode(Operations operations, int[] ids, int[] positions, Attending attending) {
        return forward(operations, ids, positions, attending, positions);
    }

    /** Last hidden state of each sequence after its new tokens, [sequences, outputSize], held by {@code work}. */
    Tensor extend(Scope work, KvCache cache, List<CachedSequence> sequences, List<int[]> newIds) {
        TokenBatch batch = TokenBatch.of(newIds);
        int[] positions = batch.positions().clone();
        for (int i = 0; i < sequences.size(); i++) {
            for (int row = batch.starts()[i]; row < batch.starts()[i + 1]; row++) {
                positions[row] += sequences.get(i).length();
            }
        }
        for (int i = 0; i < sequences.size(); i++) {
            cache.grow(sequences.get(i), newIds.get(i).length);
        }
        try (Tape tape = new Tape(work, Tape.Mode.INFERENCE)) {
            Attending attending = Attending.OverCache.of(cache, sequences, batch.starts());
            Variable hidden = forward(new Operations(tape), batch.ids(), positions, attending, batch.lastRows());
            Tensor result = work.allocate(type, sequences.size(), config.outputSize());
            work.backend().copy(hidden.value(), result);
            return result;
        }
    }

    private Variable forward(Operations operations, int[] ids, int[] positions, Attending attending, int[] rows) {
        Tape tape = operations.tape();
        int longest = longest(positions);
        ForwardPass pass = new ForwardPass(
                operations, positions, rotary == null ? null : rotary.upTo(longest), attending, hooks, checkpointing);
        Variable hidden = pass.block(
                null, none -> pass.through(embedding.unit(), none, x -> embedding.forward(operations, ids, positions)));
        for (TransformerBlock block : blocks) {
            Variable before = hidden;
            hidden = pass.block(before, x -> pass.through(block.unit(), x, y -> block.forward(pass, y)));
            tape.discard(before);
        }
        return chosen(pass, hidden, rows);
    }

    private Variable chosen(ForwardPass pass, Variable hidden, int[] rows) {
        boolean all = rows.length == pass.positions().length;
        Variable rowsOnly = all ? hidden : pass.operations().rows(hidden, rows);
        if (finalUnit.parameters().isEmpty()) {
            return rowsOnly;
        }
        return pass.through(finalUnit, rowsOnly, x -> {
            Variable normed = finalNorm == null ? x : finalNorm.forward(pass.operations(), x);
            return finalProjection == null ? normed : finalProjection.forward(pass.operations(), normed);
        });
    }

    /** The length of the longest sequence; at most what the model is made for. */
    private int longest(int... positions) {
        int length = Arrays.stream(positions).max().orElse(0) + 1;
        if (config.maxPositions() > 0 && length > config.maxPositions()) {
            throw Rlhf4jException.data(
                    "a sequence has %d tokens, the model's context %d (config.json); shorten prompts or responses"
                            .formatted(length, config.maxPositions()));
        }
        return length;
    }
}
