package io.rlhf4j.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TorchFileTest {
    private final TensorFiles files = new TensorFiles(new Configuration());

    @TempDir
    java.nio.file.Path folder;

    @Test
    void tensorsOfEveryTypeAndStrideAreRead() throws IOException {
        try (TensorReader reader = files.open(resource("state-dict.bin"))) {
            float[] plain = reader.readFloats("plain");
            assertThat(plain).hasSize(24).startsWith(0f, 0.125f, 0.25f);
            assertThat(reader.info("transposed").shape()).containsExactly(6, 4);
            assertThat(reader.readFloats("transposed")).startsWith(0f, 0.75f, 1.5f, 2.25f, 0.125f);
            assertThat(reader.readFloats("shared.low")).containsExactly(0, 1, 2, 3);
            assertThat(reader.readFloats("shared.high")).containsExactly(4, 6, 8);
            assertThat(reader.readFloats("parameter")).containsExactly(1.5f, -2f);
            assertThat(reader.readFloats("bf16")).startsWith(1f, -0.3359375f);
            assertThat(reader.readFloats("fp16")).containsExactly(1f, -0.333251953125f, 65504f);
            assertThat(reader.readDoubles("fp64")).containsExactly(0.1);
            assertThat(reader.readLongs("int64")).containsExactly(1, -2, 3, 1L << 40);
            assertThat(reader.readLongs("bool")).containsExactly(1, 0);
            assertThat(reader.info("scalar").shape()).isEmpty();
            assertThat(reader.readFloats("scalar")).containsExactly(7f);
            assertThat(reader.readFloats("empty")).isEmpty();
            assertThat(reader.info("cube").shape()).containsExactly(4, 2, 3);
            assertThat(reader.readFloats("cube")).startsWith(0, 4, 8, 12, 16, 20, 1, 5, 9);
        }
    }

    @ParameterizedTest
    @CsvSource({"module-state-dict.bin", "protocol4.bin"})
    void theStateOfAModuleIsRead(String name) throws IOException {
        try (TensorReader reader = files.open(resource(name))) {
            assertThat(reader.tensors().keySet()).containsExactly("weight", "bias");
            assertThat(reader.readFloats("weight")).containsExactly(1, 2, 3, 4);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "whole-module.bin, torch.nn.modules.linear.Linear",
        "legacy.bin, PyTorch before 1.6",
        "nested.bin, its entry 'model' is no tensor"
    })
    void whatIsNoStateDictIsRefusedByName(String name, String message) {
        assertThatThrownBy(() -> files.open(resource(name)))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining(name)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({"posix, system", "builtins, eval", "torch._utils, _rebuild_sparse_tensor", "os, getcwd"})
    void aPickleThatNamesAnythingElseIsRefused(String module, String function) throws IOException {
        byte[] pickle = ("\u0080\u0002c" + module + "\n" + function + "\nX\u0002\0\0\0hi\u0085R.")
                .getBytes(StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> files.open(zip(pickle)))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("contains " + module + "." + function);
    }

    @Test
    void aTensorThatReachesOutOfItsStorageIsRefused() throws IOException {
        assertThatThrownBy(() -> files.open(zip(tensorPickle(0, 3, 1))))
                .hasMessageContaining("tensor 'w'")
                .hasMessageContaining("does not fit into its storage of 8 bytes");
        assertThatThrownBy(() -> files.open(zip(tensorPickle(1, 2, 1)))).hasMessageContaining("does not fit");
        assertThatThrownBy(() -> files.open(zip(tensorPickle(0, 200, 0)))).hasMessageContaining("does not fit");
        try (TensorReader reader = files.open(zip(tensorPickle(0, 2, 1)))) {
            assertThat(reader.readFloats("w")).containsExactly(0, 0);
        }
    }

    @Test
    void aDamagedStorageIsFoundByItsChecksum() throws IOException {
        byte[] bytes = Files.readAllBytes(
                java.nio.file.Path.of(resource("module-state-dict.bin").toUri()));
        int at = indexOfFloat(bytes, 4f);
        bytes[at] ^= 1;
        Files.write(folder.resolve("damaged.bin"), bytes);
        try (TensorReader reader =
                files.open(new Path(folder.resolve("damaged.bin").toUri()))) {
            assertThatThrownBy(() -> reader.readFloats("weight")).hasMessageContaining("checksum");
        }
    }

    @Test
    void aFileCutAnywhereIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(
                java.nio.file.Path.of(resource("module-state-dict.bin").toUri()));
        for (int length = 0; length < whole.length; length += 7) {
            Files.write(folder.resolve("cut.bin"), java.util.Arrays.copyOf(whole, length));
            assertThatThrownBy(
                            () -> files.open(new Path(folder.resolve("cut.bin").toUri())))
                    .isInstanceOf(Rlhf4jException.class);
        }
    }

    private static int indexOfFloat(byte[] bytes, float value) {
        int wanted = Integer.reverseBytes(Float.floatToIntBits(value));
        java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(bytes);
        for (int at = 0; at < bytes.length - 4; at++) {
            if (buffer.getInt(at) == wanted
                    && buffer.getInt(at - 4) == Integer.reverseBytes(Float.floatToIntBits(3f))) {
                return at;
            }
        }
        throw new AssertionError("not found");
    }

    /** {'w': tensor of one dimension over a storage of two floats}. */
    private static byte[] tensorPickle(int offset, int length, int stride) {
        return ("\u0080\u0002}X\u0001\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nFloatStorage\n"
                        + "X\u0001\0\0\0000X\u0003\0\0\0cpuK\u0002tQK" + (char) offset + "K" + (char) length + "\u0085K"
                        + (char) stride + "\u0085\u0089N" + "tRs.")
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    private Path zip(byte[] pickle) throws IOException {
        java.nio.file.Path file = folder.resolve("made.bin");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (String name : List.of("x/data.pkl", "x/data/0")) {
                byte[] content = name.endsWith("pkl") ? pickle : new byte[8];
                CRC32 crc = new CRC32();
                crc.update(content);
                ZipEntry entry = new ZipEntry(name);
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(content.length);
                entry.setCrc(crc.getValue());
                zip.putNextEntry(entry);
                zip.write(content);
            }
        }
        return new Path(file.toUri());
    }

    private static Path resource(String name) {
        try {
            return new Path(TorchFileTest.class.getResource("/format/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
