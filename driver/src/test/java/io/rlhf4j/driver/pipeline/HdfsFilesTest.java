package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.files.MiniHdfs;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.MetricsLog;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunStatus;
import io.rlhf4j.run.lease.HeldLease;
import io.rlhf4j.run.lease.RunLease;
import io.rlhf4j.workers.checkpoint.Checkpoint;
import io.rlhf4j.workers.checkpoint.CheckpointFile;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.checkpoint.Retention;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a run keeps, on HDFS. */
@Timeout(170)
class HdfsFilesTest {
    private static final Duration EXPIRY = Duration.ofMillis(600);
    private static final int MEGABYTE = 1 << 20;

    @TempDir
    private static Path disks;

    private static MiniHdfs hdfs;
    private static Configuration hadoop;

    @BeforeAll
    static void start() throws IOException {
        hdfs = MiniHdfs.start(disks);
        hadoop = hdfs.configuration();
    }

    @AfterAll
    static void stop() {
        hdfs.close();
    }

    @Test
    void aSmallFileIsSeenOldOrNewAndNothingElseIsLeft() throws Exception {
        RunFolder folder = folder("replaced", Fence.open());
        String one = "1".repeat(3 * MEGABYTE);
        String two = "2".repeat(3 * MEGABYTE);
        org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(folder.root(), "some.json");
        folder.files().write(path, one);
        ExecutorService reader = Executors.newSingleThreadExecutor();
        try {
            Future<Integer> seen = reader.submit(() -> {
                int news = 0;
                while (news < 3) {
                    String text = folder.files().read(path).orElseThrow();
                    assertThat(text.equals(one) || text.equals(two)).isTrue();
                    news += text.equals(two) ? 1 : 0;
                }
                return news;
            });
            for (int turn = 0; !seen.isDone() && turn < 1000; turn++) {
                folder.files().write(path, turn % 2 == 0 ? two : one);
            }
            assertThat(seen.get()).isEqualTo(3);
        } finally {
            reader.shutdown();
        }
        assertThat(names(folder.root())).containsExactly("some.json");
    }

    @Test
    void metricsAndStatusAreReadBackAsTheyWereWritten() throws IOException {
        RunFolder folder = folder("told", Fence.open());
        try (MetricsLog metrics = folder.openMetrics()) {
            metrics.append(Step.PPO, "train", 1, Map.of("score_mean", 0.5));
            metrics.append(Step.PPO, "train", 2, Map.of("score_mean", 0.25));
            metrics.append(Step.PPO, "train", 1, Map.of("score_mean", 0.75));
        }
        folder.writeStatus(RunStatus.running("ppo", 3));
        RunFolder read = new RunFolder(folder.root(), hadoop);
        assertThat(read.openMetrics().rows())
                .extracting(row -> row.position() + " " + row.values())
                .containsExactly("2 {score_mean=0.25}", "1 {score_mean=0.75}");
        assertThat(read.readStatus())
                .hasValueSatisfying(status -> assertThat(status.epoch()).isEqualTo(3));
        assertThat(hdfs.files().exists(new org.apache.hadoop.fs.Path(folder.tensorBoard(), "ppo")))
                .isTrue();
    }

    @Test
    void ofManyWhoTakeARunAtOnceOneGetsIt() throws Exception {
        RunFolder folder = folder("wanted", Fence.open());
        ExecutorService threads = Executors.newFixedThreadPool(6);
        List<HeldLease> held = new ArrayList<>();
        try {
            Callable<HeldLease> take = () -> lease(folder, Duration.ofSeconds(20));
            for (Future<HeldLease> result : threads.invokeAll(List.of(take, take, take, take, take, take))) {
                try {
                    held.add(result.get());
                } catch (java.util.concurrent.ExecutionException refused) {
                    assertThat(refused.getCause())
                            .isInstanceOfSatisfying(Rlhf4jException.class, error -> assertThat(error.kind())
                                    .isEqualTo(ErrorKind.RETRYABLE))
                            .hasMessageContaining("run 'wanted' is held by");
                }
            }
            assertThat(held).hasSize(1);
            assertThat(held.get(0).fence().epoch()).isEqualTo(1);
        } finally {
            held.forEach(HeldLease::close);
            threads.shutdown();
        }
    }

    @Test
    void whatAnOldOwnerWritesIsRefusedAndWhatItsSuccessorWroteStays() throws Exception {
        RunFolder plain = folder("owned", Fence.open());
        HeldLease old = lease(plain, Duration.ofHours(1));
        CheckpointStore before = store(plain, old.fence(), 9);
        commit(before, 1, 2 * MEGABYTE);
        Thread.sleep(EXPIRY.toMillis());
        try (HeldLease successor = lease(plain, EXPIRY)) {
            assertThat(successor.fence().epoch()).isEqualTo(2);
            commit(store(plain, successor.fence(), 9), 2, 2 * MEGABYTE);
            RunFolder owned = folder("owned", successor.fence());
            owned.writeStatus(RunStatus.running("ppo", 2));

            RunFolder stale = folder("owned", old.fence());
            PublishedWeights weights = new PublishedWeights(stale, hadoop);
            List<org.assertj.core.api.ThrowableAssert.ThrowingCallable> writes = List.of(
                    () -> stale.writeStatus(RunStatus.running("ppo", 1)),
                    () -> before.begin(2),
                    () -> before.write(3, "shard-0", out -> out.write(1)),
                    () -> before.prune(new Retention(1, 0)),
                    () -> weights.begin(1),
                    () -> weights.commit(1, Map.of()));
            for (org.assertj.core.api.ThrowableAssert.ThrowingCallable write : writes) {
                assertThatThrownBy(write)
                        .isInstanceOfSatisfying(Rlhf4jException.class, error -> assertThat(error.kind())
                                .isEqualTo(ErrorKind.RETRYABLE))
                        .hasMessageContaining("not written by start 1 of the run");
            }
            assertThat(store(plain, Fence.open(), 9).steps()).containsExactly(2L, 1L);
            assertThat(owned.readStatus())
                    .hasValueSatisfying(status -> assertThat(status.epoch()).isEqualTo(2));
        }
        old.close();
        assertThat(lease(plain, EXPIRY).fence().epoch()).isEqualTo(3);
    }

    @Test
    void oldCheckpointsGoAndADamagedOneIsPassedOver() throws IOException {
        RunFolder folder = folder("kept", Fence.open());
        CheckpointStore store = store(folder, Fence.open(), 3);
        for (long step = 1; step <= 5; step++) {
            commit(store, step, 1000);
        }
        assertThat(store.steps()).containsExactly(5L, 4L, 3L);
        assertThat(store.prune(new Retention(2, 0))).containsExactly(3L);
        assertThat(names(store.folder(0).getParent())).containsExactly("step-00000004", "step-00000005");
        byte[] bytes = content(5, 1000);
        bytes[500] ^= 1;
        try (OutputStream file = hdfs.files().create(new org.apache.hadoop.fs.Path(store.folder(5), "shard-1"), true)) {
            file.write(bytes);
        }
        CheckpointStore.Search search = store.latest();
        assertThat(search.passedOver())
                .singleElement()
                .asString()
                .contains("step-00000005/shard-1")
                .contains("SHA-256");
        assertThat(search.checkpoint())
                .hasValueSatisfying(found -> assertThat(found.step()).isEqualTo(4));
    }

    @Test
    void aCheckpointDuringWhoseWritingADataNodeIsLostIsWhole() throws IOException {
        CheckpointStore store = store(folder("lossy", Fence.open()), Fence.open(), 9);
        commit(store, 1, 4 * MEGABYTE);
        store.begin(2);
        List<CheckpointFile> files = new ArrayList<>();
        byte[] content = content(2, 8 * MEGABYTE);
        files.add(store.write(2, "shard-0", out -> {
            out.write(content, 0, content.length / 2);
            out.flush();
            hdfs.loseDataNode();
            out.write(content, content.length / 2, content.length / 2);
        }));
        files.add(store.write(2, "shard-1", out -> out.write(content)));
        store.commit(2, files, JsonNodeFactory.instance.objectNode());

        CheckpointStore.Search search = store.latest();
        assertThat(search.passedOver()).isEmpty();
        Checkpoint found = search.checkpoint().orElseThrow();
        assertThat(found.step()).isEqualTo(2);
        assertThat(found.open("shard-0").readAllBytes()).isEqualTo(content);
        // What was there before has one copy at least on the nodes that remain.
        assertThat(store.open(1).bytes()).isGreaterThan(8 * MEGABYTE);
    }

    private static RunFolder folder(String name, Fence fence) {
        return new RunFolder(hdfs.path("/runs/" + name), hadoop, fence);
    }

    private static HeldLease lease(RunFolder folder, Duration expiry) throws IOException, InterruptedException {
        return new RunLease(folder, hadoop, expiry).take(line -> {}, () -> {});
    }

    private static CheckpointStore store(RunFolder folder, Fence fence, int keep) {
        return new CheckpointStore(
                folder.checkpoints(Step.PPO), hadoop, new Retention(keep, 0), Map.of("rlhf4j", "test"), fence);
    }

    private static void commit(CheckpointStore store, long step, int bytes) {
        store.begin(step);
        List<CheckpointFile> files = new ArrayList<>();
        for (String name : List.of("shard-0", "shard-1")) {
            files.add(store.write(step, name, out -> out.write(content(step, bytes))));
        }
        store.commit(step, files, JsonNodeFactory.instance.objectNode());
    }

    private static byte[] content(long step, int bytes) {
        byte[] content = new byte[bytes];
        new Random(step).nextBytes(content);
        return content;
    }

    private static List<String> names(org.apache.hadoop.fs.Path folder) throws IOException {
        FileSystem files = hdfs.files();
        return Arrays.stream(files.listStatus(folder))
                .map(FileStatus::getPath)
                .map(org.apache.hadoop.fs.Path::getName)
                .toList();
    }
}
