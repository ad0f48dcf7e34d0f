package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.driver.pipeline.TinyRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One run of ten steps, looked after in the order of the tests. */
@Timeout(170)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class CheckpointCommandTest {
    @TempDir
    private static Path folder;

    private static String run;

    @BeforeAll
    static void train() throws IOException {
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                ConfigFile.write(TinyRun.in(folder, "cared-for", "checkpoints.keep=9", "checkpoints.every_steps=2")));
        ToolRun trained = ToolRun.of("sft", "--config", config.toString());
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        run = folder.resolve("runs/cared-for").toString();
    }

    @Test
    @Order(1)
    void theExitCodeOfARunIsThatOfWaitingForIt() {
        ToolRun wait = ToolRun.of("wait", run);
        assertThat(wait.exitCode()).isZero();
        assertThat(wait.out()).isEqualTo("sft: done%n".formatted());
        assertThat(ToolRun.of("wait", run, "--after", "1", "--timeout", "0").exitCode())
                .isEqualTo(5);
    }

    @Test
    @Order(2)
    void checkpointsAreListedWithTheirWriter() {
        ToolRun list = ToolRun.of("checkpoint", "list", run);
        assertThat(list.out().lines().skip(1).map(line -> line.replaceAll("\\s+", " ")))
                .hasSize(5)
                .allMatch(line -> line.matches("sft \\d+ 1 20\\S+Z [\\d,]+"))
                .first()
                .asString()
                .startsWith("sft 10 ");
    }

    @Test
    @Order(3)
    void aCheckpointIsExportedAsTheRunExportsItsLast() throws IOException {
        Path directory = folder.resolve("exported");
        assertThat(ToolRun.of("checkpoint", "export", run, "--step", "sft", "--to", directory.toString()))
                .satisfies(done -> assertThat(done.exitCode()).as(done.err()).isZero());
        assertThat(Files.readAllBytes(directory.resolve("model.safetensors")))
                .isEqualTo(Files.readAllBytes(Path.of(run, "export/sft/model.safetensors")));
        assertThat(directory.resolve("tokenizer.json")).exists();
        assertThat(ToolRun.of("checkpoint", "export", run, "--step", "sft", "--to", directory.toString())
                        .err())
                .contains("is there already");
        assertThat(ToolRun.of(
                                "checkpoint",
                                "export",
                                run,
                                "--step",
                                "ppo",
                                "--to",
                                folder.resolve("x").toString())
                        .exitCode())
                .isEqualTo(3);
    }

    @Test
    @Order(4)
    void aByteThatChangedIsFoundAndNamed() throws IOException {
        assertThat(ToolRun.of("checkpoint", "verify", run).exitCode()).isZero();
        Path file = secondPart(Path.of(run, "sft/checkpoints/step-00000006"));
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        ToolRun verify = ToolRun.of("checkpoint", "verify", run);
        assertThat(verify.exitCode()).isEqualTo(3);
        assertThat(verify.out()).contains("step-00000006/" + file.getFileName() + " is damaged");
        assertThat(verify.out().lines().filter(line -> line.endsWith("whole"))).hasSize(4);
    }

    private static Path secondPart(Path checkpoint) throws IOException {
        try (Stream<Path> files = Files.list(checkpoint)) {
            return files.filter(file -> file.getFileName().toString().startsWith("state-00002-of-00002"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    @Order(5)
    void oldCheckpointsGoAndThoseForGoodStay() {
        ToolRun prune = ToolRun.of("checkpoint", "prune", run, "--keep", "1", "--keep-every", "4");
        assertThat(prune.out().lines()).containsExactly("removed sft 6", "removed sft 2");
        assertThat(Path.of(run, "sft/checkpoints"))
                .isDirectoryContaining("glob:**/step-00000004")
                .isDirectoryNotContaining("glob:**/step-00000006");
    }

    @Test
    @Order(6)
    void aFolderWithoutARunIsRefused() {
        ToolRun list = ToolRun.of("checkpoint", "list", folder.toString());
        assertThat(list.exitCode()).isEqualTo(2);
        assertThat(list.err()).contains("there is no run in");
        assertThat(ToolRun.of("checkpoint").exitCode()).isEqualTo(2);
    }
}
