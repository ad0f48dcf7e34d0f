package io.rlhf4j.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensorboard.EventReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
    @TempDir
    java.nio.file.Path temporary;

    private final Configuration hadoop = new Configuration(false);
    private RunConfig config;
    private RunFolder folder;

    @BeforeEach
    void makeFolder() {
        config = ConfigFile.read(
                "name: first\nfolder: " + temporary + "\nmodels: {actor: base}\nppo: {rewards: [{kind: model}]}",
                "run.yaml",
                List.of());
        folder = RunFolder.of(config, hadoop);
    }

    @Test
    void pathsAreThoseOfTheLayout() {
        assertThat(folder.checkpoints(Step.PPO).toString()).endsWith("first/ppo/checkpoints");
        assertThat(folder.weights(12).toString()).endsWith("first/weights/version=00000012");
        assertThat(folder.rollouts(3).toString()).endsWith("first/rollouts/iteration=00000003");
        assertThat(folder.export("actor-ema").toString()).endsWith("first/export/actor-ema");
    }

    @Test
    void theWholeConfigurationIsKept() throws IOException {
        assertThat(folder.readConfig()).isEmpty();
        folder.writeConfig(config);
        assertThat(folder.readConfig()).contains(config);
    }

    @Test
    void theStatusTellsTheExitCode() throws IOException {
        RunStatus running = RunStatus.running("pipeline", 1);
        folder.writeStatus(running);
        assertThat(folder.readStatus()).contains(running);

        folder.writeStatus(running.failed(new Rlhf4jException(ErrorKind.INTERRUPTED, "stopped")));
        RunStatus ended = folder.readStatus().orElseThrow();
        assertThat(ended.state()).isEqualTo(RunStatus.State.INTERRUPTED);
        assertThat(ended.exitCode()).isEqualTo(130);
        assertThat(running.failed(Rlhf4jException.data("row 3")).state()).isEqualTo(RunStatus.State.FAILED);
    }

    @Test
    void aResumptionSaysWhatIsNotAsItWas() throws IOException {
        RunIdentity before = RunIdentity.of(config, new Machine("cpu", "amd64"), Map.of("version of spark", "4.1.3"));
        folder.writeManifest(RunManifest.begun("first", before));

        RunConfig other = ConfigFile.read(
                ConfigFile.write(config), "run.yaml", List.of("seed=9", "cluster.attempts=7", "cluster.threads=3"));
        RunIdentity now = RunIdentity.of(other, new Machine("nd4j", "amd64"), Map.of("version of spark", "4.1.3"));
        RunManifest read = folder.readManifest().orElseThrow();

        assertThat(read.identity()).isEqualTo(before);
        assertThat(now.differencesFrom(read.identity()))
                .extracting(RunIdentity.Difference::fact)
                .containsExactlyInAnyOrder("seed", "backend", "cluster.threads");
        assertThat(read.resumedAs(now).changes())
                .anySatisfy(line -> assertThat(line).endsWith("seed was 0 and is 9"));
        assertThat(before.differencesFrom(before)).isEmpty();
    }

    @Test
    void eachMomentHasItsMetricsOnce() throws IOException {
        try (MetricsLog metrics = folder.openMetrics()) {
            for (long position = 1; position <= 5; position++) {
                metrics.append(Step.SFT, "train", position, Map.of("loss", 1.0 / position));
            }
            metrics.append(Step.SFT, "evaluation", 4, Map.of("perplexity", 9.0));
        }
        try (MetricsLog resumed = folder.openMetrics()) {
            resumed.cutAfter(Step.SFT, 3);
            resumed.append(Step.SFT, "train", 4, Map.of("loss", 0.25));
            resumed.append(Step.SFT, "train", 4, Map.of("loss", Double.NaN));
        }
        List<MetricsRow> rows = folder.openMetrics().rows();
        assertThat(rows).extracting(MetricsRow::position).containsExactly(1L, 2L, 3L, 4L);
        assertThat(rows.get(3).values().get("loss")).isNaN();
    }

    @Test
    void tensorBoardHearsOfEveryMomentAndOfWhatIsTakenBack() throws IOException {
        try (MetricsLog metrics = folder.openMetrics()) {
            metrics.append(Step.SFT, "train", 1, Map.of("loss", 3.0));
            metrics.append(Step.SFT, "train", 2, Map.of("loss", 2.0));
            metrics.append(Step.SFT, "evaluation", 0, Map.of("evaluation/loss", 4.0));
            metrics.append(Step.PPO, "train", 1, Map.of("score_mean", 0.5));
        }
        try (MetricsLog resumed = folder.openMetrics()) {
            resumed.cutAfter(Step.SFT, 1);
            resumed.append(Step.SFT, "train", 2, Map.of("loss", 2.5));
        }
        assertThat(events("sft"))
                .extracting(EventReader.Event::step, EventReader.Event::restart, EventReader.Event::scalars)
                .containsExactly(
                        tuple(0L, false, Map.of("evaluation/loss", 4f)),
                        tuple(1L, false, Map.of("train/loss", 3f)),
                        tuple(2L, false, Map.of("train/loss", 2f)),
                        tuple(2L, true, Map.of()),
                        tuple(2L, false, Map.of("train/loss", 2.5f)));
        assertThat(events("ppo")).hasSize(1);
    }

    /** All events but the first of each file, which says its version. */
    private List<EventReader.Event> events(String step) throws IOException {
        List<EventReader.Event> events = new ArrayList<>();
        try (Stream<java.nio.file.Path> files = Files.list(temporary.resolve("first/tensorboard/" + step))) {
            for (java.nio.file.Path file : files.sorted().toList()) {
                List<EventReader.Event> all = EventReader.read(Files.readAllBytes(file));
                assertThat(all.get(0).version()).isEqualTo("brain.Event:2");
                events.addAll(all.subList(1, all.size()));
            }
        }
        return events;
    }

    @Test
    void aWriteThatFailsLeavesTheOldTextAndNoLitter() throws IOException {
        SmallFiles files = new SmallFiles(hadoop);
        Path file = new Path(folder.root(), "small.txt");
        files.write(file, "old");
        Path below = new Path(file, "below.txt");
        assertThatThrownBy(() -> files.write(below, "new"))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("below.txt: cannot be written");
        files.write(file, "new");
        assertThat(files.read(file)).contains("new");
        try (Stream<java.nio.file.Path> listing = Files.list(temporary.resolve("first"))) {
            assertThat(listing).hasSize(1);
        }
    }

    @Test
    void aFileThatHadoopWroteIsReplacedWithItsChecksum() throws IOException {
        Path file = new Path(folder.root(), "small.txt");
        FileSystem system = file.getFileSystem(hadoop);
        try (OutputStream stream = system.create(file, true)) {
            stream.write("by Hadoop".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        SmallFiles files = new SmallFiles(hadoop);
        files.write(file, "by us");
        assertThat(files.read(file)).contains("by us");
    }

    @Test
    void aDamagedFileIsNamed() throws IOException {
        new SmallFiles(hadoop).write(folder.status(), "{\"state\": \"RUNN");
        assertThatThrownBy(folder::readStatus).hasMessageContaining("status.json: is damaged");
    }
}
