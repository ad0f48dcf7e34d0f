package io.rlhf4j.workers.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.run.Fence;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class RankWriterTest {
    private static final RankFiles NAMES = new RankFiles("00c0ffee", 0, 1);
    private static final Configuration HADOOP = new Configuration();
    private static final int ELEMENTS = 3_000_000;

    @TempDir
    private java.nio.file.Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "nd4j"})
    void whatIsWrittenIsTheStateAtTheTimeThoughTheTensorsChangeMeanwhile(String backend) throws Exception {
        CountDownLatch disk = new CountDownLatch(1);
        try (Scope scope = Scope.root(Backends.onClassPath().choose(backend, 1).backend(), "rank");
                RankWriter writer = new RankWriter(scope)) {
            Tensor weights = scope.zeros(DType.FP32, ELEMENTS);
            weights.backend().fill(weights, 1.5f);
            CheckpointStore store = store(disk::await);
            long before = scope.bytes();
            writer.start(store, state(7, weights), HADOOP);
            assertThat(scope.bytes()).isEqualTo(before + 4L * ELEMENTS);
            weights.backend().fill(weights, -2f);
            writer.check();
            assertThat(store.parts(7, "00c0ffee", 1)).isEmpty();

            disk.countDown();
            writer.write(store, state(8, weights), HADOOP);
            assertThat(scope.bytes()).isEqualTo(before);
            assertThat(values(store, 7)).containsOnly(1.5f).hasSize(ELEMENTS);
            assertThat(values(store, 8)).containsOnly(-2f).hasSize(ELEMENTS);
        }
    }

    @Test
    void aPartThatCouldNotBeWrittenIsAnErrorOfTheNextAndOfNoLater() throws Exception {
        try (Scope scope = Scope.root(Backends.onClassPath().choose("auto", 1).backend(), "rank");
                RankWriter writer = new RankWriter(scope)) {
            Tensor weights = scope.zeros(DType.FP32, 10);
            long before = scope.bytes();
            CheckpointStore full = store(() -> {
                throw new IOException("No space left on device");
            });
            writer.start(full, state(1, weights), HADOOP);
            CheckpointStore store = store(() -> {});
            assertThatThrownBy(() -> writer.write(store, state(2, weights), HADOOP))
                    .isInstanceOfSatisfying(Rlhf4jException.class, error -> assertThat(error.kind())
                            .isEqualTo(ErrorKind.RETRYABLE))
                    .hasMessageContaining("step-00000001/model-00001-of-00001-00c0ffee.safetensors")
                    .hasMessageContaining("free some space");
            assertThat(scope.bytes()).isEqualTo(before);
            writer.write(store, state(3, weights), HADOOP);
            assertThat(store.parts(3, "00c0ffee", 1)).isPresent();
            assertThat(store.parts(2, "00c0ffee", 1)).isEmpty();
        }
    }

    private static RankState state(long step, Tensor weights) {
        return new RankState(step, NAMES, Map.of("model", List.of(NamedTensor.of("weights", weights))));
    }

    private static float[] values(CheckpointStore store, long step) throws IOException {
        Path file = new Path(store.folder(step), NAMES.tensors("model"));
        try (TensorReader reader = new TensorFiles(HADOOP).open(file)) {
            return reader.readFloats("weights");
        }
    }

    /** What happens when a file is made. */
    private interface Happening {
        void run() throws IOException, InterruptedException;
    }

    private CheckpointStore store(Happening happening) throws IOException {
        return new CheckpointStore(
                new Disk(happening),
                new Path(directory.toUri()),
                HADOOP,
                new Retention(9, 0),
                Map.of("rlhf4j", "test"),
                Fence.open());
    }

    private static final class Disk extends FilterFileSystem {
        private final Happening happening;

        Disk(Happening happening) throws IOException {
            super(new RawLocalFileSystem());
            fs.initialize(java.net.URI.create("file:///"), HADOOP);
            this.happening = happening;
        }

        @Override
        public FSDataOutputStream create(
                Path path,
                FsPermission permission,
                boolean overwrite,
                int bufferSize,
                short replication,
                long blockSize,
                Progressable progress)
                throws IOException {
            try {
                happening.run();
            } catch (InterruptedException interrupted) {
                throw new IOException(interrupted);
            }
            return super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
        }
    }
}
