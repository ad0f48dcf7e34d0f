package io.rlhf4j.generation;

import io.rlhf4j.model.CachedSequence;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.DecodingStep;
import io.rlhf4j.model.KvCache;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The decoding steps of one run: one for each number of rows that comes up, made for sequences of about their length. */
final class DecodingSteps implements AutoCloseable {
    /** Steps are made for sequences of a multiple of so many blocks. */
    private static final int BLOCKS_TOGETHER = 32;

    private final Scope work;
    private final CausalLanguageModel model;
    private final KvCache cache;
    private final Tensor logits;
    private final Map<Integer, DecodingStep> steps = new HashMap<>();
    private int blocksOfSequence;

    /** @param logits as many rows as there may be, fp32 */
    DecodingSteps(Scope work, CausalLanguageModel model, KvCache cache, Tensor logits) {
        this.work = work;
        this.model = model;
        this.cache = cache;
        this.logits = logits;
    }

    /** Extends each sequence by its token; the logits of what follows, a row each. */
    Tensor run(List<CachedSequence> sequences, int... tokens) {
        int longest = sequences.stream().mapToInt(CachedSequence::length).max().orElse(0) + 1;
        int wanted = -Math.floorDiv(-longest, BLOCKS_TOGETHER * cache.blockSize()) * BLOCKS_TOGETHER;
        if (wanted > blocksOfSequence) {
            close();
            blocksOfSequence = wanted;
        }
        int rows = work.backend().rowsOfRepeated(tokens.length);
        steps.computeIfAbsent(rows, count -> model.decodingStep(work, cache, blocksOfSequence, logits.slice(0, count)))
                .run(sequences, tokens);
        return logits.slice(0, tokens.length);
    }

    @Override
    public void close() {
        steps.values().forEach(DecodingStep::close);
        steps.clear();
    }
}
