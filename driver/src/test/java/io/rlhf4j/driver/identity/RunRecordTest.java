package io.rlhf4j.driver.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.pipeline.TinyRun;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Machine;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunManifest;
import io.rlhf4j.run.SmallFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunRecordTest {
    private final Configuration hadoop = new Configuration();

    @TempDir
    private Path temporary;

    @Test
    void aRunKeepsWhatItsBitsFollowFrom() throws IOException {
        RunConfig config = TinyRun.in(temporary, "facts", "seed=5");
        assertThat(start(config)).isEmpty();

        assertThat(manifest(config).identity().facts())
                .containsEntry("seed", "5")
                .containsEntry("backend", "cpu")
                .containsEntry("cluster.ranks", "2")
                .containsEntry("cluster.rollout_partitions", "2")
                .containsEntry("cluster.threads", "1")
                .containsKeys("processor", "version of spark", "version of java", "version of nd4j")
                .hasEntrySatisfying("files of source 'pairs'", value -> assertThat(value)
                        .matches("1 files, \\d+ bytes, sha256 [0-9a-f]{16}"))
                .hasEntrySatisfying(
                        "files of the model of sft", value -> assertThat(value).contains("sha256"));
        assertThat(RunFolder.of(config, hadoop).readConfig()).contains(config);
    }

    @Test
    void theSameRunStartedAgainSaysNothing() throws IOException {
        RunConfig config = TinyRun.in(temporary, "same");
        start(config);
        assertThat(start(TinyRun.in(temporary, "same", "cluster.attempts=3", "checkpoints.every_steps=1")))
                .isEmpty();
        assertThat(manifest(config).changes()).isEmpty();
    }

    @Test
    void everyDifferenceIsNamedAndKept() throws IOException {
        RunConfig config = TinyRun.in(temporary, "changed");
        start(config);
        RunConfig changed = TinyRun.in(temporary, "changed", "cluster.ranks=1", "sft.optimizer.learning_rate=0.5");
        Files.writeString(temporary.resolve("pairs.jsonl"), "\n", StandardOpenOption.APPEND);

        assertThat(start(changed))
                .anySatisfy(line -> assertThat(line).endsWith("cluster.ranks was 2 and is 1"))
                .anySatisfy(line -> assertThat(line).endsWith("sft.optimizer.learning_rate was 0.01 and is 0.5"))
                .anySatisfy(line -> assertThat(line).contains("files of source 'pairs' was 1 files"));
        assertThat(manifest(config).changes()).hasSize(4);
        assertThat(start(changed)).isEmpty();
    }

    @Test
    void aCheckpointOfAnotherSeedModelOrOptimizerIsRefused() throws IOException {
        RunConfig config = TinyRun.in(temporary, "fixed");
        start(config);
        RunFolder folder = RunFolder.of(config, hadoop);
        new SmallFiles(hadoop).write(new org.apache.hadoop.fs.Path(folder.checkpoints(Step.SFT), "step"), "");

        assertThatThrownBy(() -> start(TinyRun.in(
                        temporary,
                        "fixed",
                        "seed=9",
                        "models.actor=" + TinyRun.model("opt"),
                        "sft.optimizer.kind=sgd",
                        "cluster.ranks=1")))
                .isInstanceOfSatisfying(Rlhf4jException.class, thrown -> assertThat(thrown.kind())
                        .isEqualTo(ErrorKind.CONFIGURATION))
                .hasMessageContainingAll(
                        "seed was 0 and is 9",
                        "files of the model of sft was",
                        "sft.optimizer.kind was adamw and is sgd",
                        "another name")
                .hasMessageNotContaining("cluster.ranks");
        assertThat(manifest(config).identity().facts()).containsEntry("seed", "0");
        assertThat(folder.readConfig()).contains(config);
    }

    @Test
    void aRunThatCameToNothingMayBeToldAnything() throws IOException {
        start(TinyRun.in(temporary, "free"));
        assertThat(start(TinyRun.in(temporary, "free", "seed=9")))
                .anySatisfy(line -> assertThat(line).endsWith("seed was 0 and is 9"));
    }

    private List<String> start(RunConfig config) throws IOException {
        List<String> said = new ArrayList<>();
        new RunRecord(config, Machine.here(config), RunFolder.of(config, hadoop), hadoop).start(said::add);
        return said;
    }

    private RunManifest manifest(RunConfig config) throws IOException {
        return RunFolder.of(config, hadoop).readManifest().orElseThrow();
    }
}
