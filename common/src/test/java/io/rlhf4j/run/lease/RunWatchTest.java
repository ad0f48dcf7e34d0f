package io.rlhf4j.run.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunStatus;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens in the folder happens while the watcher pauses: one event for each of its seconds. */
class RunWatchTest {
    private static final Duration EXPIRY = Duration.ofSeconds(30);
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir
    java.nio.file.Path temporary;

    private final Configuration hadoop = new Configuration(false);
    private final List<String> said = new ArrayList<>();
    private final Deque<Runnable> events = new ArrayDeque<>();
    private int seconds;
    private RunFolder folder;

    @BeforeEach
    void makeFolder() {
        folder = new RunFolder(new Path(temporary.toUri().toString(), "nightly"), hadoop);
    }

    @Test
    void aRunThatHasNotBegunIsAwaitedAndItsEndReturned() throws Exception {
        RunStatus running = RunStatus.running("ppo", 1);
        events.add(() -> {});
        events.add(() -> folder.writeStatus(running));
        events.add(() -> {});
        events.add(() -> folder.writeStatus(running.failed(Rlhf4jException.data("row 3 is broken"))));
        RunStatus end = watch().end(0, DAY, said::add);
        assertThat(end.exitCode()).isEqualTo(3);
        assertThat(end.message()).isEqualTo("row 3 is broken");
        assertThat(said).hasSize(2).first().isEqualTo("run 'nightly' has not begun");
        assertThat(said.get(1)).startsWith("run 'nightly': ppo runs since");
    }

    @Test
    void theEndOfAnEarlierStartDoesNotCountWhereALaterOneIsAskedFor() throws Exception {
        folder.writeStatus(RunStatus.running("ppo", 4).failed(Rlhf4jException.data("before")));
        events.add(() -> folder.writeStatus(RunStatus.running("ppo", 5)));
        events.add(() -> folder.writeStatus(RunStatus.running("ppo", 5).done()));
        assertThat(watch().end(4, DAY, said::add).exitCode()).isZero();
    }

    @Test
    void aLaterStartThatWasRefusedEndsTheWaitForItAndIsNoNewsOfTheRun() throws Exception {
        folder.writeStatus(RunStatus.running("ppo", 4).done());
        events.add(() -> folder.writeRefusal(
                RunStatus.running("ppo", 5).failed(Rlhf4jException.configuration("seed was 0 and is 9"))));
        RunStatus refused = watch().end(4, DAY, said::add);
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.message()).isEqualTo("seed was 0 and is 9");
        assertThat(watch().end(3, DAY, said::add).exitCode()).isZero();
        assertThat(folder.readStatus().orElseThrow().state()).isEqualTo(RunStatus.State.DONE);
    }

    @Test
    void aProcessThatBeatsIsNotGivenUpAndOneThatStopsIs() throws Exception {
        folder.writeStatus(RunStatus.running("ppo", 1));
        HeldLease held = new RunLease(folder, hadoop, EXPIRY).take(line -> {});
        for (int second = 0; second < 100; second++) {
            events.add(second % 5 == 0 ? held::beat : () -> {});
        }
        assertThatThrownBy(() -> watch().end(0, DAY, said::add))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("not been heard of for 30 s")
                .hasMessageContaining("process " + ProcessHandle.current().pid());
        assertThat(seconds).isBetween(125, 130);
    }

    @Test
    void aProcessThatLeavesWithoutAStatusIsGivenUpAtOnce() throws Exception {
        folder.writeStatus(RunStatus.running("ppo", 1));
        new RunLease(folder, hadoop, EXPIRY).take(line -> {}).close();
        assertThatThrownBy(() -> watch().end(0, DAY, said::add)).hasMessageContaining("ended without telling how");
        assertThat(seconds).isEqualTo(1);
    }

    @Test
    void theTimeToWaitEnds() {
        assertThatThrownBy(() -> watch().end(0, Duration.ofSeconds(7), said::add))
                .hasMessageContaining("has not begun; that was all the time to wait, 7 s");
        assertThat(seconds).isEqualTo(7);
    }

    private RunWatch watch() {
        return new RunWatch(folder, hadoop, EXPIRY, duration -> {
            seconds += (int) duration.toSeconds();
            if (!events.isEmpty()) {
                events.poll().run();
            }
        });
    }
}
