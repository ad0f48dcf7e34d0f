package io.rlhf4j.hub;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.golden.GoldenFolder;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * transformers loads what this project exports, and computes the same. Runs where {@code -Drlhf4j.python} names a Python
 * that has torch and transformers; {@code -Drlhf4j.models} adds directories, separated by commas. A reward model is
 * checked as it lies there and only asked for its scores.
 */
@EnabledIfSystemProperty(named = "rlhf4j.python", matches = ".+")
class TransformersCrossCheckTest {
    private final ObjectMapper mapper = new ObjectMapper();

    @TempDir
    Path exports;

    @Test
    void transformersComputesTheSameWithExportedModels() throws IOException, InterruptedException {
        List<Path> models = new ArrayList<>();
        String more = System.getProperty("rlhf4j.models", "");
        Stream.of(more.split(",")).filter(name -> !name.isBlank()).map(Path::of).forEach(models::add);
        models.addAll(GoldenFolder.cases("models"));
        for (Path model : models) {
            export(model, exports.resolve(model.getFileName()));
        }
        Path script = Path.of("..", "docs", "cross-check", "check_exports.py");
        Process python = new ProcessBuilder(System.getProperty("rlhf4j.python"), script.toString(), exports.toString())
                .redirectErrorStream(true)
                .start();
        python.inputReader().lines().forEach(System.out::println);
        assertThat(python.waitFor()).isZero();
    }

    private void export(Path model, Path target) throws IOException {
        Files.createDirectories(target);
        try (Scope scope =
                Scope.root(Backends.onClassPath().choose(Backends.AUTO, 1).backend(), "check")) {
            ModelDirectory directories = GoldenModel.directories();
            org.apache.hadoop.fs.Path source = new org.apache.hadoop.fs.Path(model.toUri());
            boolean scores = isScorer(model);
            ScoreModel scorer = directories.loadScore(source, scope, DType.FP32, 7);
            if (scores) {
                Files.createSymbolicLink(target.resolve("score"), model.toAbsolutePath());
            } else {
                directories.save(
                        scorer,
                        new org.apache.hadoop.fs.Path(target.resolve("score").toUri()),
                        ElementType.F32);
            }

            List<int[]> rows = rows(scorer.config().vocabSize());
            ObjectNode numbers = mapper.createObjectNode();
            numbers.set("ids", mapper.valueToTree(rows));
            if (!scores) {
                CausalLanguageModel causal = directories.loadCausal(source, scope, DType.FP32);
                directories.save(
                        causal,
                        new org.apache.hadoop.fs.Path(target.resolve("causal").toUri()),
                        ElementType.F32);
                numbers.set("nextLogProbs", nextLogProbs(causal, scope, rows));
            }
            TokenBatch batch = TokenBatch.of(rows);
            numbers.set("scores", mapper.valueToTree(scorer.scores(scope, batch, batch.lastRows())));
            mapper.writeValue(target.resolve("numbers.json").toFile(), numbers);
        }
    }

    private boolean isScorer(Path model) throws IOException {
        JsonNode config = mapper.readTree(model.resolve("config.json").toFile());
        return config.path("architectures").path(0).asText().endsWith("ForSequenceClassification");
    }

    private ArrayNode nextLogProbs(CausalLanguageModel causal, Scope scope, List<int[]> rows) {
        ArrayNode logProbs = mapper.createArrayNode();
        for (int[] row : rows) {
            int[] asked = IntStream.range(0, row.length - 1).toArray();
            logProbs.add(mapper.valueToTree(causal.logProbs(
                            scope,
                            TokenBatch.of(List.of(row)),
                            asked,
                            Arrays.copyOfRange(row, 1, row.length),
                            1f,
                            false)
                    .logProbs()));
        }
        return logProbs;
    }

    /** Rows of ordinary tokens: the lowest ids are often special. */
    private static List<int[]> rows(int vocab) {
        Random random = new Random(3);
        return IntStream.of(19, 7, 12)
                .mapToObj(
                        length -> random.ints(length, 20, Math.min(vocab, 360)).toArray())
                .toList();
    }
}
