package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
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

    @Test
    void anUnknownShapeIsRefused() {
        ToolRun run = ToolRun.of("bench", "train", "--model", "huge");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("there is no shape and no folder 'huge'", "llama-160m");
    }
}
