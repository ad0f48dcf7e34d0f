package io.rlhf4j.driver.bench;

import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One step of a causal language model: forward, backward, clipping at norm 1, AdamW.
 *
 * @param batch rows
 * @param length tokens of each row, or of the longest
 * @param mixed whether rows have 16 to {@code length} tokens instead
 */
public record TrainBench(int batch, int length, boolean mixed) {
    private static final int SHORTEST = 16;

    /** Measures one model. */
    public Measurement measure(BenchModel shape, BenchSettings settings) throws IOException {
        try (Scope scope = Scope.root(settings.backend(), "bench")) {
            CausalLanguageModel model = shape.make(scope, settings.type());
            TokenBatch rows = TokenBatch.of(rows(model.config().vocabSize()));
            BenchStep step = new BenchStep(scope, model, rows);
            Rounds rounds = Rounds.of(settings, step::run);
            return new Measurement(
                    mixed ? "train_step_mixed" : "train_step",
                    shape.label(),
                    settings.trainingType(),
                    "%dx%s%d".formatted(batch, mixed ? SHORTEST + ".." : "", length),
                    rows.tokens(),
                    rounds.seconds(),
                    settings,
                    Map.of(
                            "first_step_s",
                            Measurement.rounded(rounds.first(), 3),
                            "peak_tensors_mb",
                            scope.peakBytes() >> 20));
        }
    }

    private List<int[]> rows(int vocabulary) {
        RandomStream lengths = RandomStream.of(7);
        RandomStream stream = RandomStream.of(1);
        List<int[]> rows = new ArrayList<>();
        for (int row = 0; row < batch; row++) {
            int tokens = mixed ? SHORTEST + lengths.below(length - SHORTEST + 1, row) : length;
            rows.add(row(stream.at(row), tokens, vocabulary));
        }
        return rows;
    }

    /** Random tokens, none of the first three, which are special in all shapes. */
    static int[] row(RandomStream stream, int tokens, int vocabulary) {
        int[] ids = new int[tokens];
        for (int i = 0; i < tokens; i++) {
            ids[i] = 3 + stream.below(vocabulary - 3, i);
        }
        return ids;
    }
}
