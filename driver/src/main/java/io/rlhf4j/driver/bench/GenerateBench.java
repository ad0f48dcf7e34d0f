package io.rlhf4j.driver.bench;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.generation.GenerationRequest;
import io.rlhf4j.generation.Generator;
import io.rlhf4j.generation.StopTexts;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.DecodingWeights;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Generation at temperature 1 over the whole vocabulary; the length of every answer is given, because nothing ends it.
 *
 * @param batch prompts at once
 * @param prompt tokens of each
 * @param newTokens tokens of each answer, or of the longest
 * @param mixed whether answers have the {@link PeerLengths lengths} of other systems' scripts instead
 * @param weights how generation reads the model's
 */
public record GenerateBench(int batch, int prompt, int newTokens, boolean mixed, DecodingWeights weights) {
    /** Measures one model. */
    public Measurement measure(BenchModel shape, BenchSettings settings) throws IOException {
        SamplingConfig sampling = ConfigFile.parse(
                SamplingConfig.class,
                "{temperature: 1, max_new_tokens: %d, batch: %d, weights: %s}"
                        .formatted(newTokens, batch, weightsName()));
        try (Scope scope = Scope.root(settings.backend(), "bench")) {
            CausalLanguageModel model = shape.make(scope, settings.type());
            Generator generator = new Generator(model, sampling, new int[0], StopTexts.NONE);
            List<GenerationRequest> requests = requests(model.config().vocabSize());
            Rounds rounds = Rounds.of(settings, () -> requireLengths(generator.generate(scope, requests)));
            ModelWork work = new ModelWork(model.config(), settings.type(), weights);
            return new Measurement(
                            mixed ? "generate_mixed" : "generate",
                            shape.label(),
                            settings.typeName(),
                            "%dx(%d+%s%d)"
                                    .formatted(
                                            batch, prompt, mixed ? PeerLengths.SHORTEST_ANSWER + ".." : "", newTokens),
                            IntStream.of(lengths()).sum(),
                            rounds.seconds(),
                            settings,
                            Map.of("peak_tensors_mb", scope.peakBytes() >> 20, "weights", weightsName()))
                    .beside(limits -> work.generationSeconds(limits, prompt, lengths()));
        }
    }

    private String weightsName() {
        return weights.name().toLowerCase(Locale.ROOT);
    }

    /** Scripts that do the same with other systems. Some of these have a type that we do not, or the other way about. */
    public List<PeerScript> peers(BenchModel shape, BenchSettings settings) {
        String type = settings.typeName();
        List<PeerScript> scripts = new ArrayList<>();
        List<String> ways = new ArrayList<>(List.of("--cache=dynamic", "--cache=static"));
        if (mixed) {
            ways.add("--continuous");
        }
        for (String way : ways) {
            scripts.add(PeerScript.of("generate.py", "--dtype", type, way, "--warmup", settings.warmup()));
        }
        for (String other : settings.type() == DType.BF16 ? List.of(type, "int8") : List.of(type)) {
            scripts.add(PeerScript.of("generate_ct2.py", "--dtype", other));
            if (shape.isLlamaShape()) {
                scripts.add(PeerScript.of("generate_llamacpp.py", "--dtype", other));
            }
        }
        return scripts.stream()
                .map(script -> script.with("--model", shape.argument(), "--batch", batch, "--prompt", prompt)
                        .with("--new", newTokens, "--threads", settings.threads())
                        .with("--repeats", settings.repeats()))
                .map(script -> mixed ? script.with("--mixed") : script)
                .toList();
    }

    List<GenerationRequest> requests(int vocabulary) {
        RandomStream stream = RandomStream.of(1);
        List<GenerationRequest> requests = new ArrayList<>();
        int[] lengths = lengths();
        for (int row = 0; row < batch; row++) {
            requests.add(GenerationRequest.of(TrainBench.row(stream.at(row), prompt, vocabulary), stream.at(-row - 1))
                    .withMostTokens(lengths[row]));
        }
        return requests;
    }

    private int[] lengths() {
        int[] lengths = new int[batch];
        Arrays.fill(lengths, newTokens);
        return mixed ? PeerLengths.answers(batch, newTokens) : lengths;
    }

    private void requireLengths(List<List<Generation>> answers) {
        int[] lengths = lengths();
        for (int row = 0; row < batch; row++) {
            int made = answers.get(row).get(0).ids().length;
            if (made != lengths[row]) {
                throw new IllegalStateException("answer %d has %d tokens, not %d".formatted(row, made, lengths[row]));
            }
        }
    }
}
