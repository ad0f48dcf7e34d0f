package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Tape;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.RepeatedPass;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * One token more for each of some sequences, and the logits of what may follow it: the pass that generation runs again and
 * again. Its host arrays are the same every time, so that the backend may keep what it starts.
 */
public final class DecodingStep implements AutoCloseable {
    private final CausalLanguageModel model;
    private final Scope work;
    private final KvCache cache;
    private final Tensor logits;
    private final int[] ids;
    private final int[] positions;
    private final CachedTokens places;
    private final int[] rowsOfCache;
    private final RepeatedPass repeated;

    DecodingStep(CausalLanguageModel model, Scope work, KvCache cache, int blocksOfSequence, Tensor logits) {
        this.model = model;
        this.work = work;
        this.cache = cache;
        this.logits = logits;
        int rows = logits.rows();
        ids = new int[rows];
        positions = new int[rows];
        int[] starts = new int[rows + 1];
        Arrays.setAll(starts, row -> row);
        places = new CachedTokens(new int[rows][blocksOfSequence], cache.blockSize(), new int[rows], starts);
        rowsOfCache = new int[rows];
        model.backbone().prepareFor(blocksOfSequence * cache.blockSize());
        repeated = model.hooks().valuesStay() ? work.backend().repeated(this::pass) : null;
    }

    /** Extends each sequence by its token, which the cache holds afterwards; its logits are the row of its number. */
    public void run(List<CachedSequence> sequences, int... tokens) {
        for (int row = 0; row < ids.length; row++) {
            boolean filled = row >= tokens.length;
            CachedSequence sequence = filled ? cache.filler() : sequences.get(row);
            if (!filled) {
                cache.grow(sequence, 1);
            }
            ids[row] = filled ? 0 : tokens[row];
            positions[row] = sequence.length() - 1;
            places.lengths()[row] = sequence.length();
            System.arraycopy(sequence.blocks(), 0, places.blocks()[row], 0, sequence.blocks().length);
            // Rows that are none write beside each other.
            rowsOfCache[row] = places.row(row, positions[row]) + (filled ? row - tokens.length : 0);
        }
        if (repeated == null) {
            pass();
        } else {
            repeated.run();
        }
    }

    private void pass() {
        try (Tape tape = new Tape(work, Tape.Mode.INFERENCE)) {
            Tensor hidden = model.backbone()
                    .decode(new Operations(tape), ids, positions, new Attending.OverCache(cache, places, rowsOfCache))
                    .value();
            work.backend().logits(model.head(1f), hidden, logits);
        }
    }

    /** Gives back what the backend keeps for it. */
    @Override
    public void close() {
        if (repeated != null) {
            repeated.close();
        }
    }
}
