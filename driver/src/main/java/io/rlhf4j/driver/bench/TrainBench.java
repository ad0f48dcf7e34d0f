package io.rlhf4j.driver.bench;

import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One step of a causal language model: forward, backward, clipping at norm 1, AdamW.
 *
 * @param batch rows
 * @param length tokens of each row, or of the longest
 * @param mixed whether rows have the {@link PeerLengths lengths} of other systems' scripts instead, of which {@code length} is the most
 */
public record TrainBench(int batch, int length, boolean mixed) {
    /** Measures one model. */
    public Measurement measure(BenchModel shape, BenchSettings settings) throws IOException {
        try (Scope scope = Scope.root(settings.backend(), "bench")) {
            CausalLanguageModel model = shape.make(scope, settings.type());
            TokenBatch rows = TokenBatch.of(rows(model.config().vocabSize()));
            BenchStep step = new BenchStep(scope, model, rows);
            Rounds rounds = Rounds.of(settings, step::run);
            double flops = new ModelWork(model.config(), settings.type())
                    .training(rows.tokens() - rows.sequences(), lengths());
            Map<String, Object> more = new TreeMap<>();
            more.put("first_step_s", Measurement.rounded(rounds.first(), 3));
            more.put("peak_tensors_mb", scope.peakBytes() >> 20);
            return new Measurement(
                            mixed ? "train_step_mixed" : "train_step",
                            shape.label(),
                            settings.trainingType(),
                            "%dx%s%d".formatted(batch, mixed ? PeerLengths.SHORTEST_ROW + ".." : "", length),
                            rows.tokens(),
                            rounds.seconds(),
                            settings,
                            more)
                    .beside(limits -> flops / limits.flopsPerSecond());
        }
    }

    /** Scripts that do the same with PyTorch: eagerly and compiled and, in bf16, in all ways that it has. */
    public List<PeerScript> peers(BenchModel shape, BenchSettings settings) {
        List<PeerScript> scripts = new ArrayList<>();
        for (String type : settings.type() == DType.BF16 ? List.of("autocast", "master", "bf16") : List.of("fp32")) {
            PeerScript script = PeerScript.of("train_step.py", "--dtype", type)
                    .with("--model", shape.argument(), "--batch", batch, "--seq", length)
                    .with("--threads", settings.threads())
                    .with("--warmup", settings.warmup(), "--repeats", settings.repeats());
            PeerScript rows = mixed ? script.with("--mixed") : script;
            scripts.add(rows);
            scripts.add(rows.with("--compile"));
        }
        return scripts;
    }

    private int[] lengths() {
        int[] lengths = new int[batch];
        Arrays.fill(lengths, length);
        return mixed ? PeerLengths.rows(batch, length) : lengths;
    }

    List<int[]> rows(int vocabulary) {
        RandomStream stream = RandomStream.of(1);
        int[] lengths = lengths();
        List<int[]> rows = new ArrayList<>();
        for (int row = 0; row < batch; row++) {
            rows.add(row(stream.at(row), lengths[row], vocabulary));
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
