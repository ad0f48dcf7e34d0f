package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.error.Rlhf4jException;

/** From token ids to the first hidden states: the token's vector, and its position's where positions are learned. */
final class TokenEmbedding {
    private final TransformerConfig config;
    private final ParameterUnit unit = new ParameterUnit("embedding");
    private final Parameter tokens;
    private final PositionEncoding.Learned learned;
    private final Parameter positions;
    private final Projection projection;
    private final Normalization norm;

    TokenEmbedding(TransformerConfig config) {
        this.config = config;
        Initialisation start = new Initialisation.Normal(config.initializerRange());
        int size = config.embedding().size();
        this.tokens = unit.declare("tokens.weight", start, config.vocabSize(), size);
        this.learned = config.positions() instanceof PositionEncoding.Learned table ? table : null;
        this.positions = learned == null
                ? null
                : unit.declare("positions.weight", start, learned.positions() + learned.offset(), config.hiddenSize());
        this.projection = config.projected()
                ? new Projection(unit, "projection", config.hiddenSize(), size, false, config.initializerRange())
                : null;
        this.norm =
                config.embedding().norm() ? new Normalization(config.norm(), unit, "norm", config.hiddenSize()) : null;
    }

    ParameterUnit unit() {
        return unit;
    }

    /** The token vectors, [vocab, size]. */
    Parameter tokens() {
        return tokens;
    }

    /** Hidden states before the first block, [tokens, hidden]. */
    Variable forward(Operations operations, int[] ids, int[] positionsOfIds) {
        requireInVocabulary(ids);
        Variable hidden = operations.embed(tokens, 0, ids);
        if (projection != null) {
            hidden = projection.forward(operations, hidden);
        }
        if (config.embedding().scale() != 1f) {
            hidden = operations.scale(hidden, config.embedding().scale());
        }
        if (learned != null) {
            hidden = operations.add(hidden, operations.embed(positions, learned.offset(), positionsOfIds));
        }
        return norm == null ? hidden : norm.forward(operations, hidden);
    }

    private void requireInVocabulary(int... ids) {
        for (int id : ids) {
            if (id < 0 || id >= config.vocabSize()) {
                throw Rlhf4jException.data(
                        "token id %d is outside the model's vocabulary of %d; is its tokenizer (tokenizer.json, models.tokenizer) that of another model?"
                                .formatted(id, config.vocabSize()));
            }
        }
    }
}
