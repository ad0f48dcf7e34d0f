package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.lease.HeldLease;
import io.rlhf4j.run.lease.RunLease;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeasedRunTest {
    @TempDir
    Path folder;

    @Test
    void aSecondStartOfALivingRunIsRefusedAndToldWhoRunsIt() throws Exception {
        Path file = Files.writeString(
                folder.resolve("run.yaml"),
                """
                name: one
                folder: %s
                models: {actor: none}
                cluster: {lease_expiry: 600ms}
                """
                        .formatted(folder));
        Configuration hadoop = new Configuration();
        RunConfig config = ConfigFile.load(new org.apache.hadoop.fs.Path(file.toUri()), hadoop, List.of());
        RunFolder run = RunFolder.of(config, hadoop);
        try (HeldLease held = new RunLease(run, hadoop, config.cluster().leaseExpiry()).take(line -> {}, () -> {})) {
            ToolRun second = ToolRun.of("data", "--config", file.toString());
            assertThat(second.exitCode()).isEqualTo(5);
            assertThat(second.err())
                    .contains("run 'one' is held by process "
                            + ProcessHandle.current().pid())
                    .contains("which is alive");
            assertThat(held.lost()).isFalse();
        }
        // Given back, it is nobody's: the next start comes as far as the missing sources.
        ToolRun third = ToolRun.of("data", "--config", file.toString());
        assertThat(third.exitCode()).isEqualTo(2);
        assertThat(third.err()).contains("data.sources is empty").doesNotContain("waiting");
    }
}
