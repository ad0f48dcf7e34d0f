package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchCommandTest {
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
        JsonNode line = measured("bench generate --model tiny --batch 2 --prompt 5 --new 4 --repeats 1".split(" "));

        assertThat(line.path("shape").asText()).isEqualTo("2x(5+4)");
        assertThat(line.path("peak_rss_mb").isNumber()
                        || line.path("peak_rss_mb").isNull())
                .isTrue();
    }

    @Test
    void generationWithRoundedWeightsSaysSo() throws IOException {
        JsonNode line = measured(
                "bench generate --model tiny --batch 2 --prompt 5 --new 4 --repeats 1 --dtype bf16 --weights int8"
                        .split(" "));

        assertThat(line.path("weights").asText()).isEqualTo("int8");
        assertThat(line.path("dtype").asText()).isEqualTo("bf16");
        assertThat(line.path("peak_tensors_mb").isNumber()).isTrue();
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

    @Test
    void criticAndRewardModelMayBeNamed() throws IOException {
        String iteration = "bench ppo --model tiny --batch 1 --prompt 5 --new 4 --repeats 1";
        JsonNode same = measured(iteration.split(" "));
        JsonNode named = measured((iteration + " --critic-model tiny").split(" "));

        assertThat(named.path("model").asText()).isEqualTo("tiny + tiny");
        assertThat(named.path("peak_tensors_mb").asLong())
                .isEqualTo(same.path("peak_tensors_mb").asLong());
    }

    @Test
    void aCriticModelThatIsNotThereIsRefused() {
        ToolRun run =
                ToolRun.of("bench ppo --model tiny --critic-model nowhere --batch 1 --prompt 5 --new 4".split(" "));

        assertThat(run.exitCode()).isNotZero();
        assertThat(run.err()).contains("'nowhere'").contains("opt-350m");
    }

    @Test
    void anIterationOfPpoIsMeasuredWithItsStatesOnDiskToo(@TempDir Path folder) throws IOException {
        String iteration = "bench ppo --model tiny --batch 2 --prompt 5 --new 4 --repeats 1";
        JsonNode memory = measured(iteration.split(" "));
        JsonNode disk = measured((iteration + " --states-on " + folder).split(" "));

        // Two moments of 4 bytes each of the actor's 5.31 million parameters and of the critic's 4.26, who has no head.
        assertThat(memory.path("peak_tensors_mb").asLong()
                        - disk.path("peak_tensors_mb").asLong())
                .isBetween(72L, 74L);
    }

    @Test
    void anIterationOfPpoInMicroBatchesTakesLessMemory() throws IOException {
        String iteration = "bench ppo --model tiny --batch 8 --prompt 60 --new 4 --repeats 1";
        JsonNode whole = measured(iteration.split(" "));
        JsonNode parts = measured((iteration + " --micro-batch-tokens 128").split(" "));

        assertThat(whole.path("micro_batch_tokens").asInt()).isEqualTo(8 * 64);
        assertThat(parts.path("micro_batch_tokens").asInt()).isEqualTo(128);
        // Activations of 384 tokens fewer: of each layer no less than its inputs to four products, in fp32.
        assertThat(whole.path("peak_tensors_mb").asLong()
                        - parts.path("peak_tensors_mb").asLong())
                .isGreaterThan(384L * 4 * 4 * 256 * 4 >> 20);
    }

    @Test
    void microBatchesOfNoTokensAreRefused() {
        ToolRun run = ToolRun.of("bench ppo --model tiny --micro-batch-tokens 0".split(" "));

        assertThat(run.exitCode()).isNotZero();
        assertThat(run.err()).contains("--micro-batch-tokens is 0, allowed is [16, inf)");
    }

    @Test
    void theSwitchFromTrainingToGenerationIsMeasuredBesideAnIteration() throws IOException {
        ToolRun run =
                ToolRun.of("bench switch --model tiny --batch 2 --prompt 5 --new 4 --warmup 1 --repeats 2".split(" "));
        assertThat(run.exitCode()).as(run.err()).isZero();
        List<String> lines = run.out().lines().toList();
        assertThat(lines).hasSize(2);
        JsonNode change = new ObjectMapper().readTree(lines.get(1));
        assertThat(change.path("task").asText()).isEqualTo("switch");
        assertThat(change.path("pack_s").asDouble()).isPositive();
        double iteration = change.path("ppo_step_s").asDouble();
        assertThat(iteration)
                .isCloseTo(
                        new ObjectMapper().readTree(lines.get(0)).path("step_s").asDouble(), within(1e-3));
        assertThat(change.path("layout_share").asDouble())
                .isCloseTo(
                        (change.path("pack_s").asDouble()
                                        + change.path("free_s").asDouble())
                                / iteration,
                        within(0.01));
    }

    @Test
    void aProfileSaysWhichOperationARoundsTimeGoesInto() throws IOException {
        ToolRun run =
                ToolRun.of("bench train --model tiny --batch 2 --seq 16 --warmup 1 --repeats 2 --profile".split(" "));
        assertThat(run.exitCode()).as(run.err()).isZero();
        List<JsonNode> lines = new ArrayList<>();
        for (String line : run.out().lines().toList()) {
            lines.add(new ObjectMapper().readTree(line));
        }
        List<JsonNode> profile = lines.subList(1, lines.size());
        // Four blocks whose attention's weight is [256, 256], for 32 tokens of two rows.
        assertThat(profile)
                .filteredOn(line -> line.path("operation").asText().equals("linear 32x256x256"))
                .singleElement()
                .satisfies(line -> assertThat(line.path("calls").asInt()).isEqualTo(4));
        assertThat(profile.get(profile.size() - 1).path("operation").asText()).isEqualTo("outside operations");
        double all =
                profile.stream().mapToDouble(line -> line.path("ms").asDouble()).sum();
        double mean = 500
                * (lines.get(0).path("step_s_min").asDouble()
                        + lines.get(0).path("step_s_max").asDouble());
        assertThat(all).isCloseTo(mean, withinPercentage(2));
    }

    @Test
    void kernelsAreMeasuredBesideTheMachinesLimit() throws IOException {
        ToolRun run = ToolRun.of("bench kernels --repeats 2 --kernel copy --kernel attention".split(" "));
        assertThat(run.exitCode()).as(run.err()).isZero();
        List<String> lines = run.out().lines().toList();
        assertThat(lines).hasSize(2);
        JsonNode attention = new ObjectMapper().readTree(lines.get(0));
        assertThat(attention.path("model").asText()).isEqualTo("attention");
        assertThat(attention.path("shape").asText()).isEqualTo("4x256x768");
        assertThat(attention.path("limited_by").asText()).isEqualTo("flops");
        JsonNode copy = new ObjectMapper().readTree(lines.get(1));
        assertThat(copy.path("limited_by").asText()).isEqualTo("memory");
        // 16,384 x 768 numbers are read and written.
        assertThat(copy.path("gb_per_s").asDouble() * copy.path("step_us").asDouble() * 1e3)
                .isCloseTo(2 * 4 * 16_384 * 768.0, withinPercentage(5));
        assertThat(copy.path("limit_share").asDouble())
                .isBetween(0.02, 1.5)
                .isCloseTo(
                        copy.path("gb_per_s").asDouble()
                                / copy.path("memory_gb_per_s").asDouble(),
                        withinPercentage(3));
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
        assertThat(constants.path("network_gb_per_s_2").asDouble()).isPositive();
        assertThat(constants.path("idle_2").asDouble()).isBetween(0.0, 1.0);
        JsonNode alone = lines.get(1);
        assertThat(alone.path("predicted_s").asDouble())
                .isCloseTo(
                        alone.path("drift").asDouble()
                                * constants.path("step_s").asDouble(),
                        within(2e-3));
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
