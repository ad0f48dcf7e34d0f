package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.driver.files.FaultyFileSystem;
import io.rlhf4j.driver.pipeline.TinyRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import sun.misc.Signal;

/** A run of three steps that is stopped from outside, and the same command again. */
@Timeout(170)
class StoppedRunTest {
    private static final List<String> MODELS = List.of("sft", "reward", "actor", "critic");

    @TempDir
    private static Path folder;

    private static Path undisturbed;

    @BeforeAll
    static void runUndisturbed() throws IOException {
        ToolRun whole = ToolRun.of("pipeline", "--config", config("whole"));
        assertThat(whole.exitCode()).as(whole.err()).isZero();
        undisturbed = folder.resolve("runs/whole");
    }

    @AfterEach
    void removeFault() {
        FaultyFileSystem.clear();
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void controlCInAnyPhaseLosesNothingAndTheSameCommandGoesOn() throws IOException {
        String config = config("interrupted");
        interruptAtFile(config, "data/prepared/.*parquet");
        interruptAtLine(config, "sft: 1/4");
        interruptAtFile(config, "sft/checkpoints/step-00000004/");
        interruptAtFile(config, "export/sft/model.safetensors");
        interruptAtLine(config, "reward: begins");
        interruptAtFile(config, "rollouts/iteration=00000000/.*parquet");
        interruptAtFile(config, "weights/version=00000001/");
        interruptAtFile(config, "ppo/checkpoints/step-00000002/");
        interruptAtFile(config, "export/actor/model.safetensors");
        goesOnToTheSameBits(config, "interrupted");
    }

    @Test
    void aFullDiskLeavesTheCheckpointsBeforeItAndTheSameCommandGoesOn() throws IOException {
        String config = config("full");
        FaultyFileSystem.once("sft/checkpoints/step-00000004/state", 20_000, () -> {
            throw new IOException("No space left on device");
        });
        ToolRun full = ToolRun.of("pipeline", "--config", config);
        assertThat(FaultyFileSystem.clear()).isFalse();
        assertThat(full.exitCode()).as(full.err()).isEqualTo(5);
        assertThat(full.err())
                .contains("sft/checkpoints/step-00000004/state", "No space left on device")
                .doesNotContain("\tat ");
        assertThat(full.err().lines().filter(line -> line.startsWith("error: ")))
                .hasSize(1);
        assertThat(status("full")).isEqualTo("FAILED 5");
        String run = folder.resolve("runs/full").toString();
        assertThat(ToolRun.of("checkpoint", "verify", run).out()).contains("sft", "2", "whole");
        goesOnToTheSameBits(config, "full");
    }

    @Test
    void aStartThatDoesNotFitChangesNothingOfTheRun() throws IOException {
        String status = Files.readString(undisturbed.resolve("status.json"));
        String report = Files.readString(undisturbed.resolve("report.html"));
        String manifest = Files.readString(undisturbed.resolve("manifest.json"));
        for (String change : List.of("seed=9", "data.sources.0.weight=2")) {
            ToolRun refused = ToolRun.of("pipeline", "--config", config("whole"), "--set", change);
            assertThat(refused.exitCode()).as(refused.err()).isEqualTo(2);
            assertThat(refused.err()).contains("run 'whole'", "another name");
            assertThat(undisturbed.resolve("status.json")).hasContent(status);
            assertThat(undisturbed.resolve("report.html")).hasContent(report);
            assertThat(undisturbed.resolve("manifest.json")).hasContent(manifest);
            assertThat(undisturbed.resolve("refused.json")).content().contains("\"exitCode\" : 2");
        }
    }

    private static void interruptAtFile(String config, String path) throws IOException {
        FaultyFileSystem.once(path, 0, StoppedRunTest::interrupt);
        interrupted(path, ToolRun.of("pipeline", "--config", config));
        assertThat(FaultyFileSystem.clear())
                .as("nothing is written to %s", path)
                .isFalse();
    }

    private static void interruptAtLine(String config, String beginning) throws IOException {
        AtomicBoolean pending = new AtomicBoolean(true);
        Consumer<String> heard = line -> {
            if (line.startsWith(beginning) && pending.getAndSet(false)) {
                interrupt();
            }
        };
        interrupted(beginning, ToolRun.heard(heard, "pipeline", "--config", config));
        assertThat(pending).as("nothing is said of %s", beginning).isFalse();
    }

    /** What Ctrl-C sends; time enough that it arrives before the work at hand is over. */
    private static void interrupt() {
        Signal.raise(new Signal(StopSignal.name()));
        try {
            Thread.sleep(300);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private static void interrupted(String where, ToolRun run) throws IOException {
        assertThat(run.exitCode()).as("at %s: %s", where, run.err()).isEqualTo(130);
        assertThat(run.err())
                .as(where)
                .contains("stopping (Ctrl-C again stops at once)", "the same command goes on")
                .doesNotContain("\tat ", "error: ");
        assertThat(status("interrupted")).as(where).isEqualTo("INTERRUPTED 130");
    }

    private static void goesOnToTheSameBits(String config, String name) throws IOException {
        ToolRun last = ToolRun.of("pipeline", "--config", config);
        assertThat(last.exitCode()).as(last.err()).isZero();
        assertThat(status(name)).isEqualTo("DONE 0");
        for (String model : MODELS) {
            String weights = "export/%s/model.safetensors".formatted(model);
            assertThat(Files.readAllBytes(folder.resolve("runs").resolve(name).resolve(weights)))
                    .as(model)
                    .isEqualTo(Files.readAllBytes(undisturbed.resolve(weights)));
        }
    }

    private static String status(String name) throws IOException {
        com.fasterxml.jackson.databind.JsonNode status = new ObjectMapper()
                .readTree(folder.resolve("runs")
                        .resolve(name)
                        .resolve("status.json")
                        .toFile());
        return status.get("state").asText() + " " + status.get("exitCode").asText();
    }

    /** The configuration of a run on the disk that can be made to fail. */
    private static String config(String name) throws IOException {
        return Files.writeString(
                        folder.resolve(name + ".yaml"),
                        ConfigFile.write(TinyRun.ofThreeSteps(folder, name, "folder=faulty:" + folder.resolve("runs"))))
                .toString();
    }
}
