package io.rlhf4j.driver.bench;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.generation.Generator;
import io.rlhf4j.generation.StopTexts;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.DecodingWeights;
import io.rlhf4j.model.PackedWeights;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What it costs that one set of weights both trains and generates: laying the weights out for generation and giving that
 * memory back, and what a first step after the other kind of work takes longer than a second one. Each round trains twice
 * and generates twice. The first steps' extra is a difference of medians and may be negative, which says that it is less than
 * this machine's noise.
 *
 * @param batch rows, and prompts
 * @param prompt tokens of each prompt
 * @param newTokens tokens of each answer; a row that is trained on has as many as both
 */
public record SwitchBench(int batch, int prompt, int newTokens) {
    private static final class Times {
        private final List<Double> firstTraining = new ArrayList<>();
        private final List<Double> secondTraining = new ArrayList<>();
        private final List<Double> packing = new ArrayList<>();
        private final List<Double> freeing = new ArrayList<>();
        private final List<Double> firstGeneration = new ArrayList<>();
        private final List<Double> secondGeneration = new ArrayList<>();
    }

    /**
     * Measures one shape.
     *
     * @param iterationSeconds of a PPO iteration of this shape
     */
    public Measurement measure(BenchModel shape, BenchSettings settings, double iterationSeconds) throws IOException {
        SamplingConfig sampling = ConfigFile.parse(
                SamplingConfig.class, "{temperature: 1, max_new_tokens: %d, batch: %d}".formatted(newTokens, batch));
        GenerateBench generation = new GenerateBench(batch, prompt, newTokens, false, DecodingWeights.PACKED);
        TrainBench training = new TrainBench(batch, prompt + newTokens, false);
        try (Scope scope = Scope.root(settings.backend(), "bench")) {
            CausalLanguageModel model = shape.make(scope, settings.type());
            int vocabulary = model.config().vocabSize();
            BenchStep step = new BenchStep(scope, model, TokenBatch.of(training.rows(vocabulary)));
            Generator generator = new Generator(model, sampling, new int[0], StopTexts.NONE);
            Runnable generate = () -> generator.generate(scope, generation.requests(vocabulary));
            Times times = new Times();
            for (int round = -settings.warmup(); round < settings.repeats(); round++) {
                Times kept = round < 0 ? new Times() : times;
                kept.firstTraining.add(Rounds.secondsOf(step::run));
                kept.secondTraining.add(Rounds.secondsOf(step::run));
                pack(model, scope, kept);
                kept.firstGeneration.add(Rounds.secondsOf(generate));
                kept.secondGeneration.add(Rounds.secondsOf(generate));
            }
            return measurement(shape, settings, times, iterationSeconds, scope);
        }
    }

    /** What generation does when it begins and when it ends. */
    private static void pack(CausalLanguageModel model, Scope scope, Times times) {
        try (Scope copies = scope.child("packed")) {
            long start = System.nanoTime();
            PackedWeights packed = model.pack(copies, DecodingWeights.PACKED);
            long done = System.nanoTime();
            packed.close();
            times.packing.add((done - start) * 1e-9);
            times.freeing.add((System.nanoTime() - done) * 1e-9);
        }
    }

    private Measurement measurement(
            BenchModel shape, BenchSettings settings, Times times, double iterationSeconds, Scope scope) {
        double pack = Measurement.median(times.packing);
        double free = Measurement.median(times.freeing);
        double train = Measurement.median(times.firstTraining) - Measurement.median(times.secondTraining);
        double generate = Measurement.median(times.firstGeneration) - Measurement.median(times.secondGeneration);
        double all = pack + free + train + generate;
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("pack_s", Measurement.rounded(pack, 4));
        more.put("free_s", Measurement.rounded(free, 4));
        more.put("first_train_extra_s", Measurement.rounded(train, 4));
        more.put("first_generate_extra_s", Measurement.rounded(generate, 4));
        more.put("train_s", Measurement.rounded(Measurement.median(times.secondTraining), 3));
        more.put("generate_s", Measurement.rounded(Measurement.median(times.secondGeneration), 3));
        more.put("ppo_step_s", Measurement.rounded(iterationSeconds, 3));
        more.put("layout_share", Measurement.rounded((pack + free) / iterationSeconds, 4));
        more.put("switch_share", Measurement.rounded(all / iterationSeconds, 4));
        more.put("peak_tensors_mb", scope.peakBytes() >> 20);
        return new Measurement(
                "switch",
                shape.label(),
                settings.trainingType(),
                "%dx(%d+%d)".formatted(batch, prompt, newTokens),
                (long) batch * newTokens,
                Collections.nCopies(settings.repeats(), all),
                settings,
                more);
    }
}
