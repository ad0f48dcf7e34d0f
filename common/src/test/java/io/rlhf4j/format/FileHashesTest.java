package io.rlhf4j.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file that has to have a hash, which is computed while tensors are read in one order or another. */
class FileHashesTest {
    private final Configuration configuration = new Configuration();

    @TempDir
    private java.nio.file.Path folder;

    private java.nio.file.Path file;
    private WrittenFile written;

    @BeforeEach
    void write() {
        file = folder.resolve("x.safetensors");
        List<NamedTensor> tensors = List.of(tensor("a", 5), tensor("b", 3_000_000), tensor("c", 7));
        written = new SafetensorsWriter(configuration).write(path(), tensors, Map.of());
    }

    @ParameterizedTest
    @ValueSource(strings = {"abc", "cba", "bb", "c", ""})
    void inWhateverOrderItIsReadItsHashIsThatOfAllItsBytes(String order) throws IOException {
        read(order);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 10] ^= 4;
        Files.write(file, bytes);
        assertDamaged(order);
    }

    @Test
    void noBitOfItsHeaderCanBeAnother() throws IOException {
        byte[] whole = Files.readAllBytes(file);
        int header = whole.length - 4 * 3_000_012;
        for (int place = 0; place < header; place += 5) {
            byte[] bytes = whole.clone();
            bytes[place] ^= 1 << place % 7;
            Files.write(file, bytes);
            assertDamaged("a");
        }
    }

    @Test
    void aFileThatNeedNotHaveAHashIsNotLookedAt() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 10] ^= 4;
        Files.write(file, bytes);
        try (TensorReader reader = new TensorFiles(configuration).open(path())) {
            reader.readFloats("c");
            reader.verify();
        }
    }

    private void assertDamaged(String order) {
        assertThatThrownBy(() -> read(order))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("x.safetensors is damaged or was never finished")
                .hasMessageContaining(written.sha256());
    }

    /** As whoever loads a model does: what is wrong in the file is told after it was verified. */
    private void read(String order) throws IOException {
        FileHashes hashes = any -> Optional.of(written.sha256());
        try (TensorReader reader = new TensorFiles(configuration, hashes).open(path())) {
            try {
                for (char name : order.toCharArray()) {
                    reader.readFloats(String.valueOf(name));
                }
            } catch (Rlhf4jException unusable) {
                reader.verify();
                throw unusable;
            }
            reader.verify();
        }
    }

    private Path path() {
        return new Path(file.toUri());
    }

    private static NamedTensor tensor(String name, int elements) {
        return new NamedTensor(
                new TensorInfo(name, ElementType.F32, List.of(elements)),
                (offset, target, count) -> java.util.Arrays.fill(target, 0, count, offset + 0.5f));
    }
}
