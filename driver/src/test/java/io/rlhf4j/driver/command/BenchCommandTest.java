package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchCommandTest {
    private static final String PEER_LINE =
            "{\"task\": \"generate\", \"peer\": \"other\", \"model\": \"tiny\", \"dtype\": \"fp32\","
                    + " \"shape\": \"2x(5+4)\", \"tokens_per_s\": 20.0}";

    private static JsonNode measured(String... arguments) throws IOException {
        ToolRun run = ToolRun.of(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return new ObjectMapper().readTree(run.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp32", "bf16"})
    void aTrainingStepIsMeasured(String dtype) throws IOException {
        JsonNode line = measured(
                "bench", "train", "--model", "tiny", "--batch", "2", "--seq", "16", "--dtype", dtype, "--repeats", "2");

        assertThat(line.path("task").asText()).isEqualTo("train_step");
        assertThat(line.path("shape").asText()).isEqualTo("2x16");
        assertThat(line.path("dtype").asText()).isEqualTo(dtype.equals("bf16") ? "master" : "fp32");
        assertThat(line.path("repeats").asInt()).isEqualTo(2);
        assertThat(line.path("tokens_per_s").asDouble() * line.path("step_s").asDouble())
                .isBetween(30.0, 34.0);
    }

    @Test
    void theOptimizerIsMeasuredWithItsStatesOnDiskToo(@TempDir Path folder) throws IOException {
        JsonNode memory = measured("bench", "optimizer", "--model", "tiny", "--repeats", "2");
        JsonNode disk =
                measured("bench", "optimizer", "--model", "tiny", "--repeats", "2", "--states-on", folder.toString());

        assertThat(memory.path("shape").asText()).isEqualTo("states in memory");
        assertThat(disk.path("shape").asText()).isEqualTo("states on disk");
        assertThat(disk.path("states_gb_per_s").asDouble()).isPositive();
        long states = disk.path("states_mb").asLong();
        assertThat(memory.path("peak_tensors_mb").asLong()
                        - disk.path("peak_tensors_mb").asLong())
                .isBetween(states - 1, states + 1);
    }

    @Test
    void generationIsMeasured() throws IOException {
        JsonNode line = measured(
                "bench",
                "generate",
                "--model",
                "tiny",
                "--batch",
                "2",
                "--prompt",
                "5",
                "--new",
                "4",
                "--repeats",
                "1");

        assertThat(line.path("shape").asText()).isEqualTo("2x(5+4)");
        assertThat(line.path("peak_rss_mb").isNumber()
                        || line.path("peak_rss_mb").isNull())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp32", "bf16"})
    void anIterationOfPpoIsMeasuredPhaseByPhase(String dtype) throws IOException {
        JsonNode line =
                measured(("bench ppo --model tiny --batch 2 --prompt 5 --new 4 --warmup 1 --repeats 2 --dtype " + dtype)
                        .split(" "));

        assertThat(line.path("task").asText()).isEqualTo("ppo_step");
        assertThat(line.path("shape").asText()).isEqualTo("2x(5+4)");
        double phases = Stream.of("generate_s", "score_s", "train_actor_s", "train_critic_s")
                .mapToDouble(phase -> line.path(phase).asDouble(-1))
                .peek(seconds -> assertThat(seconds).isPositive())
                .sum();
        assertThat(phases).isLessThanOrEqualTo(1.1 * line.path("step_s_max").asDouble());
    }

    /** The scripts of other systems are Python elsewhere; here a shell runs two that print what such a script prints. */
    @Test
    void otherSystemsAreMeasuredInTurnWithOurs(@TempDir Path folder) throws IOException {
        Files.writeString(
                folder.resolve("generate.py"), "echo loading; echo '" + PEER_LINE + "'; echo \"$@\" >> asked");
        Files.writeString(folder.resolve("generate_ct2.py"), "echo this processor cannot >&2; exit 1");
        ToolRun run = ToolRun.of(("bench generate --model tiny --batch 2 --prompt 5 --new 4 --repeats 1 --turns 2"
                        + " --peer-python sh --peer dynamic --peer ct2 --peers " + folder)
                .split(" "));

        assertThat(run.exitCode()).as(run.err()).isZero();
        List<JsonNode> lines = new ArrayList<>();
        for (String line : run.out().lines().toList()) {
            lines.add(new ObjectMapper().readTree(line));
        }
        assertThat(lines.stream().map(line -> line.path("peer").asText("none")))
                .containsExactly("rlhf4j-cpu", "other", "none", "rlhf4j-cpu", "other", "none", "other");
        assertThat(lines.get(2).path("failed").asText()).startsWith("generate_ct2.py --dtype fp32");
        JsonNode ratio = lines.get(6);
        double own = Stream.of(0, 3)
                .mapToDouble(turn -> lines.get(turn).path("tokens_per_s").asDouble())
                .average()
                .orElseThrow();
        assertThat(ratio.path("task").asText()).isEqualTo("ratio");
        assertThat(ratio.path("turns").asInt()).isEqualTo(2);
        assertThat(ratio.path("ratio").asDouble()).isCloseTo(own / 20, within(0.01));
        assertThat(ratio.path("ratio_min").asDouble()).isLessThanOrEqualTo(own / 20 + 0.01);
        assertThat(Files.readString(folder.resolve("asked")).lines()).hasSize(2).allSatisfy(line -> assertThat(line)
                .startsWith("--dtype fp32 --cache dynamic --model tiny --batch 2 --prompt 5 --new 4 --threads"));
    }

    @Test
    void aFolderWithoutPeerScriptsIsRefused(@TempDir Path folder) {
        ToolRun run = ToolRun.of(
                ("bench generate --model tiny --batch 1 --prompt 2 --new 2 --repeats 1 --peers " + folder).split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("there is no peer script", "generate.py", "--peers");
    }

    @Test
    void stepsOfRanksArePredictedAndMeasured() throws IOException {
        ToolRun run =
                ToolRun.of("bench scaling --model tiny --batch 1 --seq 16 --ranks 1,2 --stages 3 --warmup 1 --repeats 1"
                        .split(" "));
        assertThat(run.exitCode()).as(run.err()).isZero();
        List<JsonNode> lines = new ArrayList<>();
        for (String line : run.out().lines().toList()) {
            lines.add(new ObjectMapper().readTree(line));
        }
        assertThat(lines.stream().map(line -> line.path("task").asText()))
                .containsExactly("scaling_constants", "scaling_step", "scaling_step");
        JsonNode constants = lines.get(0);
        assertThat(constants.path("network_gb_per_s_of_all").asDouble()).isPositive();
        JsonNode alone = lines.get(1);
        assertThat(alone.path("predicted_s").asDouble())
                .isCloseTo(constants.path("step_s").asDouble(), within(2e-4));
        assertThat(alone.path("predicted_sent_bytes").asLong()).isZero();
        JsonNode two = lines.get(2);
        assertThat(two.path("shape").asText()).isEqualTo("2 ranks x 1x16");
        // Stage 3 sends three times half of the weights.
        assertThat(two.path("predicted_sent_bytes").asDouble())
                .isCloseTo(6 * constants.path("parameters").asDouble(), within(1.0));
        assertThat(two.path("predicted_over_measured").asDouble()).isPositive();
    }

    @Test
    void anUnknownShapeIsRefused() {
        ToolRun run = ToolRun.of("bench", "train", "--model", "huge");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("there is no shape and no folder 'huge'", "llama-160m");
    }
}
