package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.driver.bench.BenchSettings;
import io.rlhf4j.driver.bench.PeerScript;
import io.rlhf4j.driver.bench.PpoBench;
import io.rlhf4j.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other systems beside ours in {@code rlhf4j bench}. */
class BenchPeersTest {
    private static final String PEER_LINE =
            "{\"task\": \"generate\", \"peer\": \"other\", \"model\": \"tiny\", \"dtype\": \"fp32\","
                    + " \"shape\": \"2x(5+4)\", \"tokens_per_s\": 20.0, \"peak_rss_mb\": 100}";

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
                .containsExactly("rlhf4j-cpu", "other", "none", "rlhf4j-cpu", "other", "none", "other", "other");
        assertThat(lines.get(2).path("failed").asText()).startsWith("generate_ct2.py --dtype fp32");
        assertThat(lines.get(2).path("said").asText()).isEqualTo("this processor cannot");
        JsonNode ratio = lines.get(6);
        double own = Stream.of(0, 3)
                .mapToDouble(turn -> lines.get(turn).path("tokens_per_s").asDouble())
                .average()
                .orElseThrow();
        assertThat(ratio.path("task").asText()).isEqualTo("ratio");
        assertThat(ratio.path("turns").asInt()).isEqualTo(2);
        assertThat(ratio.path("ratio").asDouble()).isCloseTo(own / 20, within(0.01));
        assertThat(ratio.path("ratio_min").asDouble()).isLessThanOrEqualTo(own / 20 + 0.01);
        assertThat(lines.get(7).path("task").asText()).isEqualTo("ratio_to_best");
        assertThat(ratio.path("peer_peak_rss_mb").asInt()).isEqualTo(100);
        assertThat(ratio.path("memory_ratio").asDouble())
                .isCloseTo(ratio.path("our_peak_rss_mb").asDouble() / 100, within(0.01));
        assertThat(Files.readString(folder.resolve("asked")).lines()).hasSize(2).allSatisfy(line -> assertThat(line)
                .startsWith(
                        "--dtype fp32 --cache=dynamic --warmup 1 --model tiny --batch 2 --prompt 5 --new 4 --threads"));
    }

    /** Each system's line says how it was started; the fastest is the one that counts. */
    @Test
    void theRatioToTheFastestPeerComesLast(@TempDir Path folder) throws IOException {
        Files.writeString(
                folder.resolve("train_step.py"),
                """
                case "$*" in *--compile*) speed=7 ;; *) speed=5 ;; esac
                echo "{\\"task\\": \\"train_step\\", \\"peer\\": \\"$*\\", \\"tokens_per_s\\": $speed}"
                """);
        ToolRun run =
                ToolRun.of(("bench train --model tiny --batch 2 --seq 20 --mixed --repeats 1 --rounds 1 --dtype bf16"
                                + " --peer-python sh --peer master --peers " + folder)
                        .split(" "));

        assertThat(run.exitCode()).as(run.err()).isZero();
        List<JsonNode> lines = new ArrayList<>();
        for (String line : run.out().lines().toList()) {
            lines.add(new ObjectMapper().readTree(line));
        }
        assertThat(lines).hasSize(6);
        // 18 and 17 tokens: lengths are those of the script.
        assertThat(lines.get(0).path("tokens_per_s").asDouble()
                        * lines.get(0).path("step_s").asDouble())
                .isBetween(34.0, 36.0);
        assertThat(lines.get(5).path("task").asText()).isEqualTo("ratio_to_best");
        assertThat(lines.get(5).path("peer").asText())
                .startsWith("--dtype master --model tiny --batch 2 --seq 20 --threads")
                .endsWith("--warmup 1 --repeats 1 --mixed --compile");
        assertThat(lines.get(5).path("peer_tokens_per_s").asDouble()).isEqualTo(7);
    }

    @Test
    void deepSpeedChatIsComparedWithoutTheScoresThatItLeavesOut(@TempDir Path folder) throws IOException {
        Files.writeString(
                folder.resolve("deepspeed_chat.py"),
                "echo '{\"task\": \"ppo_step\", \"peer\": \"chat\", \"step_s\": 50}'");
        Files.writeString(folder.resolve("ppo_step.py"), "exit 1");
        ToolRun run = ToolRun.of(("bench ppo --model tiny --batch 2 --prompt 5 --new 4 --repeats 1 --turns 1"
                        + " --peer-python sh --peers %1$s --deepspeed-python python --deepspeed-chat %1$s"
                        + " --deepspeed-work %1$s")
                .formatted(folder)
                .split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("--model opt-125m --dtype bf16 alone");

        PeerScript script = new PpoBench(8, 5, 4, Optional.empty(), Optional.empty(), Optional.empty())
                .deepSpeedChat(new BenchSettings(null, 2, DType.BF16, 1, 2), "python", folder, folder);
        assertThat(script.phases()).containsExactly("generate_s", "train_actor_s", "train_critic_s");
        assertThat(script.toString()).contains("--batch 8 --prompt 5 --threads 2", "--answer 4 --iterations 3");
    }

    @Test
    void aFolderWithoutPeerScriptsIsRefused(@TempDir Path folder) {
        ToolRun run = ToolRun.of(
                ("bench generate --model tiny --batch 1 --prompt 2 --new 2 --repeats 1 --peers " + folder).split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("there is no peer script", "generate.py", "--peers");
    }

    @Test
    void aPythonThatIsNotThereIsRefused(@TempDir Path folder) throws IOException {
        Files.createFile(folder.resolve("generate.py"));
        ToolRun run = ToolRun.of(("bench generate --model tiny --batch 1 --prompt 2 --new 2 --repeats 1 --peer dynamic"
                        + " --peer-python no-such-python --peers " + folder)
                .split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("'no-such-python' cannot be started", "not found", "--peer-python");
    }
}
