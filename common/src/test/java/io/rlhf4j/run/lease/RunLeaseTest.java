package io.rlhf4j.run.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunStatus;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Time passes only where somebody waits: half a beat (2.5 s) at a time. */
class RunLeaseTest {
    private static final Duration EXPIRY = Duration.ofSeconds(30);

    @TempDir
    java.nio.file.Path temporary;

    private final Configuration hadoop = new Configuration(false);
    private final List<String> said = new ArrayList<>();
    private Instant now = Instant.parse("2026-03-01T10:00:00Z");
    private Duration waited = Duration.ZERO;
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
    void aStartThatGaveTheLeaseBackIsNotWaitedFor() throws Exception {
        take().close();
        HeldLease second = take();
        assertThat(second.fence().epoch()).isEqualTo(2);
        assertThat(waited).isZero();
        assertThat(said).isEmpty();
    }

    @Test
    void aDeadHolderIsWaitedOutAndTheNextStartSaysSo() throws Exception {
        take();
        HeldLease second = take();
        assertThat(second.fence().epoch()).isEqualTo(2);
        assertThat(waited).isEqualTo(EXPIRY);
        assertThat(said).singleElement().asString().contains("run 'first'", "process", "waiting up to 30 s");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aHolderThatEndedOnThisMachineIsNotWaitedFor() throws Exception {
        Process holder = new ProcessBuilder("sleep", "60").start();
        String mark = ProcessMark.of(holder.pid());
        assertThat(ProcessMark.hasEnded(mark)).isFalse();
        assertThat(ProcessMark.hasEnded(mark.replaceFirst("[0-9]+$", "1")))
                .as("another process with its number")
                .isTrue();
        assertThat(ProcessMark.hasEnded("elsewhere" + mark)).isFalse();
        holder.destroyForcibly().waitFor();
        assertThat(ProcessMark.hasEnded(mark)).isTrue();

        new LeaseFiles(folder.lease(), hadoop)
                .claim(new LeaseRecord(1, "other", "host", holder.pid(), mark, now.toString(), now.toString(), false));
        assertThat(take().fence().epoch()).isEqualTo(2);
        assertThat(waited).isZero();
        assertThat(said)
                .singleElement()
                .asString()
                .contains("process " + holder.pid(), "which has ended; this start takes over");
    }

    @Test
    void aHolderThatDiedLongAgoIsWatchedForTwoBeatsOnly() throws Exception {
        take();
        now = now.plus(Duration.ofHours(1));
        take();
        assertThat(waited).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void aClockThatIsBehindDoesNotMakeTheWaitLonger() throws Exception {
        take();
        now = now.minus(Duration.ofHours(1));
        take();
        assertThat(waited).isEqualTo(EXPIRY);
    }

    @Test
    void aSecondStartIsRefusedWhileTheHolderBeatsAndIsToldWhoItIs() throws Exception {
        HeldLease first = take();
        RunLease other = lease(duration -> {
            pass(duration);
            first.beat();
        });
        assertThatThrownBy(() -> other.take(said::add))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("run 'first' is held by process "
                        + ProcessHandle.current().pid())
                .hasMessageContaining("rlhf4j wait");
        assertThat(waited).isLessThan(Duration.ofSeconds(5));
        assertThat(first.beat()).isTrue();
    }

    @Test
    void aHolderThatGivesTheLeaseBackMeanwhileIsNotWaitedOut() throws Exception {
        HeldLease first = take();
        HeldLease second = lease(duration -> {
                    pass(duration);
                    first.close();
                })
                .take(said::add);
        assertThat(second.fence().epoch()).isEqualTo(2);
        assertThat(waited).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void aStoppedReplacedAndContinuedDriverCanWriteNothing() throws Exception {
        HeldLease stopped = take();
        folder(stopped.fence()).writeStatus(RunStatus.running("ppo", 1));
        HeldLease successor = take();
        RunStatus done = RunStatus.running("ppo", 1).done();
        folder(successor.fence()).writeStatus(done);

        // Continued: it does not know yet, and is stopped by the fence, then learns it from its own heartbeat.
        assertThatThrownBy(() -> folder(stopped.fence()).writeStatus(RunStatus.running("ppo", 1)))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("status.json: not written by start 1 of the run")
                .hasMessageContaining("start 2 has taken over");
        assertThat(stopped.beat()).isFalse();
        assertThat(stopped.lost()).isTrue();
        stopped.close();
        assertThat(folder.readStatus()).contains(done);
        assertThat(successor.beat()).isTrue();
        assertThat(lease(this::pass).look().orElseThrow().epoch()).isEqualTo(2);
    }

    @Test
    void aLeaseOfAnOldStartThatIsWrittenAgainCountsForNothing() throws Exception {
        HeldLease first = take();
        LeaseRecord old = lease(this::pass).look().orElseThrow();
        HeldLease second = take();
        new LeaseFiles(folder.lease(), hadoop).write(old.beating(now));
        assertThat(second.beat()).isTrue();
        second.fence().pass(folder.status(), hadoop);
        assertThat(first.beat()).isFalse();
    }

    @Test
    void aHolderThatCannotBeatForTooLongHasLostTheLease() throws Exception {
        List<Boolean> beats = new ArrayList<>();
        HeldLease held = take();
        // What is in the way of its file keeps it from being written.
        java.nio.file.Path file = temporary.resolve("first/lease/epoch-00000001");
        java.nio.file.Files.delete(file);
        java.nio.file.Files.createDirectories(file.resolve("full"));
        for (int beat = 0; beat < 7; beat++) {
            now = now.plusSeconds(5);
            beats.add(held.beat());
        }
        assertThat(beats).endsWith(false).startsWith(true, true, true, true, true);
    }

    @Test
    void aLostLeaseIsToldByTheHeartbeatItself() throws Exception {
        java.util.concurrent.CountDownLatch told = new java.util.concurrent.CountDownLatch(1);
        RunLease quick = new RunLease(folder, hadoop, Duration.ofMillis(60));
        HeldLease first = quick.take(said::add, told::countDown);
        new LeaseFiles(folder.lease(), hadoop)
                .claim(new LeaseRecord(2, "other", "host", 1, "", now.toString(), now.toString(), false));
        assertThat(told.await(20, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
        first.close();
    }

    private HeldLease take() throws IOException, InterruptedException {
        return lease(this::pass).take(said::add);
    }

    private RunLease lease(RunLease.Pause pause) {
        return new RunLease(folder, hadoop, EXPIRY, () -> now, pause);
    }

    private void pass(Duration duration) {
        now = now.plus(duration);
        waited = waited.plus(duration);
    }

    private RunFolder folder(Fence fence) {
        return RunFolder.of(config, hadoop, fence);
    }
}
