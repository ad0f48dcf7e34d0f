package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.driver.files.MiniHdfs;
import io.rlhf4j.driver.pipeline.TinyRun;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.RemoteIterator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import sun.misc.Signal;

/** PPO whose configuration and folder lie on HDFS: stopped, resumed, with a data node lost on the way. */
@Tag("cluster-long")
@Timeout(300)
@EnabledOnOs({OS.LINUX, OS.MAC})
class HdfsRunTest {
    private static final String ACTOR = "export/actor/model.safetensors";

    @TempDir
    private static Path folder;

    private static MiniHdfs hdfs;

    @BeforeAll
    static void start() throws IOException {
        hdfs = MiniHdfs.start(folder.resolve("disks"));
    }

    @AfterAll
    static void stop() {
        hdfs.close();
    }

    @Test
    void aRunThatIsStoppedAndLosesADataNodeComesToTheBitsOfOneOnALocalDisk() throws IOException {
        Path local = Files.writeString(folder.resolve("local.yaml"), configuration("local"));
        ToolRun whole = ToolRun.of("ppo", "--config", local.toString());
        assertThat(whole.exitCode()).as(whole.err()).isZero();

        String config = hdfs.path("/conf/remote.yaml").toString();
        try (OutputStream file = hdfs.files().create(hdfs.path("/conf/remote.yaml"))) {
            file.write(configuration("remote").getBytes(StandardCharsets.UTF_8));
        }
        String folderKey = "folder=" + hdfs.path("/runs");
        ToolRun stopped = ToolRun.heard(
                once("ppo: 1/3", () -> Signal.raise(new Signal(StopSignal.name()))),
                "ppo",
                "--config",
                config,
                "--set",
                folderKey);
        assertThat(stopped.exitCode()).as(stopped.err()).isEqualTo(130);
        String run = hdfs.path("/runs/remote").toString();
        assertThat(ToolRun.of("wait", run).exitCode()).isEqualTo(130);

        ToolRun resumed = ToolRun.heard(
                once("ppo: 2/3", () -> hdfs.loseDataNode()), "ppo", "--config", config, "--set", folderKey);
        assertThat(resumed.exitCode()).as(resumed.err()).isZero();
        assertThat(resumed.err()).contains("ppo goes on after iteration 1");
        assertThat(ToolRun.of("wait", run).exitCode()).isZero();
        ToolRun verified = ToolRun.of("checkpoint", "verify", run);
        assertThat(verified.exitCode()).as(verified.out()).isZero();
        assertThat(verified.out().lines().filter(line -> line.endsWith("whole")))
                .hasSize(3);
        assertThat(ToolRun.of("inspect", run).out()).contains("done, ppo, exit code 0");

        ToolRun asked = ToolRun.of(
                "sql",
                run,
                "--json",
                "SELECT count(*) AS answers, count(DISTINCT iteration, row_key) AS keys FROM rollouts");
        assertThat(asked.out()).as(asked.err()).isEqualTo("{\"answers\":12,\"keys\":12}%n".formatted());

        assertThat(read("/runs/remote/" + ACTOR))
                .isEqualTo(Files.readAllBytes(folder.resolve("runs/local").resolve(ACTOR)));
        everyFileHasTheCopiesThatTheConfigurationAsksFor();
    }

    /** Hadoop's preset is three. The first connection of the process counts for all: that of the lease. */
    private static void everyFileHasTheCopiesThatTheConfigurationAsksFor() throws IOException {
        RemoteIterator<LocatedFileStatus> files = hdfs.files().listFiles(hdfs.path("/runs/remote"), true);
        int count = 0;
        while (files.hasNext()) {
            FileStatus file = files.next();
            assertThat(file.getReplication()).as(file.getPath().toString()).isEqualTo((short) 2);
            count++;
        }
        assertThat(count).isGreaterThan(20);
    }

    private static Consumer<String> once(String beginning, Runnable action) {
        AtomicBoolean pending = new AtomicBoolean(true);
        return line -> {
            if (line.startsWith(beginning) && pending.getAndSet(false)) {
                action.run();
            }
        };
    }

    private static byte[] read(String path) throws IOException {
        try (InputStream file = hdfs.files().open(hdfs.path(path))) {
            return file.readAllBytes();
        }
    }

    private static String configuration(String name) throws IOException {
        return ConfigFile.write(TinyRun.ofThreeSteps(
                folder,
                name,
                "ppo.iterations=3",
                "ppo.critic_init=actor",
                "ppo.rewards=[{kind: rule, name: short, rule: length, target: 4}]",
                "checkpoints.keep=9",
                "cluster.spark={spark.hadoop.dfs.replication: \"2\"}"));
    }
}
