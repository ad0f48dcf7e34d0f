package io.rlhf4j.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.apache.hadoop.conf.Configuration;

/** Bytes changed at random give an error of ours or a file that can be read to its end, never anything else. */
class DamagedFilesTest {
    private static Path folder;

    @BeforeContainer
    static void makeFolder() throws IOException {
        folder = Files.createTempDirectory("damaged");
    }

    @AfterContainer
    static void removeFolder() throws IOException {
        try (java.util.stream.Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    @Property(tries = 3000)
    void aDamagedSafetensorsFileIsReadOrRefused(
            @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 0, max = 1 << 20) Integer> places, @ForAll byte value)
            throws IOException {
        byte[] whole = safetensors();
        readOrRefuse("x.safetensors", damaged(whole, whole.length - 16, places, value));
    }

    @Property(tries = 3000)
    void aDamagedTorchFileIsReadRightOrRefused(
            @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 0, max = 1 << 20) Integer> places, @ForAll byte value)
            throws IOException, URISyntaxException {
        byte[] whole = Files.readAllBytes(Path.of(
                DamagedFilesTest.class.getResource("/format/state-dict.bin").toURI()));
        Map<String, Integer> right = readOrRefuse("whole.bin", whole);
        readOrRefuse("x.bin", damaged(whole, whole.length, places, value))
                .forEach((name, hash) -> assertThat(hash).as(name).isEqualTo(right.get(name)));
    }

    private static byte[] damaged(byte[] whole, int range, List<Integer> places, byte value) {
        byte[] damaged = whole.clone();
        for (int place : places) {
            damaged[place % range] = value;
        }
        return damaged;
    }

    /** Reads everything; a hash of each tensor's elements. */
    private static Map<String, Integer> readOrRefuse(String name, byte[] bytes) throws IOException {
        Path file = folder.resolve(name);
        Files.write(file, bytes);
        Map<String, Integer> hashes = new HashMap<>();
        try (TensorReader reader =
                new TensorFiles(new Configuration(false)).open(new org.apache.hadoop.fs.Path(file.toUri()))) {
            for (TensorInfo info : reader.tensors().values()) {
                hashes.put(
                        info.name(),
                        info.type().floating()
                                ? java.util.Arrays.hashCode(reader.readDoubles(info.name()))
                                : java.util.Arrays.hashCode(reader.readLongs(info.name())));
            }
        } catch (Rlhf4jException refused) {
            assertThat(refused).hasMessageContaining(name);
            return Map.of();
        }
        return hashes;
    }

    private static byte[] safetensors() throws IOException {
        Path file = folder.resolve("whole.safetensors");
        if (!Files.exists(file)) {
            new SafetensorsWriter(new Configuration(false))
                    .write(
                            new org.apache.hadoop.fs.Path(file.toUri()),
                            List.of(
                                    new NamedTensor(
                                            new TensorInfo("first", ElementType.F32, List.of(2, 1)),
                                            FloatSource.of(new float[] {1, 2})),
                                    new NamedTensor(
                                            new TensorInfo("second", ElementType.BF16, List.of(4)),
                                            FloatSource.of(new float[] {1, 2, 3, 4}))),
                            Map.of("format", "pt"));
        }
        return Files.readAllBytes(file);
    }
}
