package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.Tensor;
import java.util.List;

/** Over which tokens the attention of a forward pass goes. */
sealed interface Attending {
    /** Attention of one block: q [tokens, heads * headDim]; k, v [tokens, kvHeads * headDim]. */
    Variable attend(Operations operations, int layer, AttentionSpec spec, Variable q, Variable k, Variable v);

    /** Over the earlier tokens of the same packed sequence. */
    record WithinBatch(int[] starts) implements Attending {
        @Override
        public Variable attend(
                Operations operations, int layer, AttentionSpec spec, Variable q, Variable k, Variable v) {
            return operations.attention(spec, q, k, v, starts);
        }
    }

    /**
     * Over all tokens of the same sequence in a cache, which takes up the new ones. Without gradient.
     *
     * @param rows of the cache for the new tokens
     */
    record OverCache(KvCache cache, CachedTokens tokens, int[] rows) implements Attending {
        /** Over sequences that have grown by their new tokens already. */
        static OverCache of(KvCache cache, List<CachedSequence> sequences, int... starts) {
            int[][] blocks = new int[sequences.size()][];
            int[] lengths = new int[sequences.size()];
            int[] rows = new int[starts[lengths.length]];
            for (int i = 0; i < lengths.length; i++) {
                CachedSequence sequence = sequences.get(i);
                blocks[i] = sequence.blocks();
                lengths[i] = sequence.length();
                int first = lengths[i] - (starts[i + 1] - starts[i]);
                cache.rows(sequence, first, lengths[i], rows, starts[i]);
            }
            return new OverCache(cache, new CachedTokens(blocks, cache.blockSize(), lengths, starts), rows);
        }

        @Override
        public Variable attend(
                Operations operations, int layer, AttentionSpec spec, Variable q, Variable k, Variable v) {
            Tensor out = operations
                    .tape()
                    .allocate(q.value().type(), q.value().rows(), q.value().columns());
            operations
                    .tape()
                    .backend()
                    .extendCacheAndAttend(
                            spec,
                            q.value(),
                            k.value(),
                            v.value(),
                            rows,
                            cache.keys(layer),
                            cache.values(layer),
                            tokens,
                            out);
            return operations.tape().constant(out);
        }
    }
}
