package io.rlhf4j.driver.bench;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.generation.GenerationRequest;
import io.rlhf4j.generation.Generator;
import io.rlhf4j.generation.StopTexts;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Generation at temperature 1 over the whole vocabulary; every answer has the same length, because nothing ends it.
 *
 * @param batch prompts at once
 * @param prompt tokens of each
 * @param newTokens tokens of each answer
 */
public record GenerateBench(int batch, int prompt, int newTokens) {
    /** Measures one model. */
    public Measurement measure(BenchModel shape, BenchSettings settings) throws IOException {
        SamplingConfig sampling = ConfigFile.parse(
                SamplingConfig.class, "{temperature: 1, max_new_tokens: %d, batch: %d}".formatted(newTokens, batch));
        try (Scope scope = Scope.root(settings.backend(), "bench")) {
            CausalLanguageModel model = shape.make(scope, settings.type());
            Generator generator = new Generator(model, sampling, new int[0], StopTexts.NONE);
            List<GenerationRequest> requests = requests(model.config().vocabSize());
            Rounds rounds = Rounds.of(settings, () -> requireLengths(generator.generate(scope, requests)));
            return new Measurement(
                    "generate",
                    shape.label(),
                    settings.typeName(),
                    "%dx(%d+%d)".formatted(batch, prompt, newTokens),
                    (long) batch * newTokens,
                    rounds.seconds(),
                    settings,
                    Map.of("peak_tensors_mb", scope.peakBytes() >> 20));
        }
    }

    /** Scripts that do the same with other systems. Some of these have a type that we do not, or the other way about. */
    public List<PeerScript> peers(BenchModel shape, BenchSettings settings) {
        String type = settings.typeName();
        List<PeerScript> scripts = new ArrayList<>();
        for (String cache : List.of("dynamic", "static")) {
            scripts.add(PeerScript.of("generate.py", "--dtype", type, "--cache", cache));
        }
        for (String other : settings.type() == DType.BF16 ? List.of(type, "int8") : List.of(type)) {
            scripts.add(PeerScript.of("generate_ct2.py", "--dtype", other));
            if (shape.isLlamaShape()) {
                scripts.add(PeerScript.of("generate_llamacpp.py", "--dtype", other));
            }
        }
        return scripts.stream()
                .map(script -> script.with("--model", shape.name(), "--batch", batch, "--prompt", prompt)
                        .with("--new", newTokens, "--threads", settings.threads()))
                .toList();
    }

    private List<GenerationRequest> requests(int vocabulary) {
        RandomStream stream = RandomStream.of(1);
        List<GenerationRequest> requests = new ArrayList<>();
        for (int row = 0; row < batch; row++) {
            requests.add(GenerationRequest.of(TrainBench.row(stream.at(row), prompt, vocabulary), stream.at(-row - 1)));
        }
        return requests;
    }

    private void requireLengths(List<List<Generation>> answers) {
        for (List<Generation> samples : answers) {
            if (samples.get(0).ids().length != newTokens) {
                throw new IllegalStateException("an answer has %d tokens, not %d"
                        .formatted(samples.get(0).ids().length, newTokens));
            }
        }
    }
}
