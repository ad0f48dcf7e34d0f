package io.rlhf4j.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    private final Configuration configuration = new Configuration();
    private final TensorFiles files = new TensorFiles(configuration);
    private final SafetensorsWriter writer = new SafetensorsWriter(configuration);

    @TempDir
    java.nio.file.Path folder;

    @Test
    void whatIsWrittenIsReadInEveryFloatingType() throws IOException {
        List<NamedTensor> tensors = List.of(
                tensor("b", ElementType.BF16, new float[] {1f, -2.5f, 0f}, 3),
                tensor("f", ElementType.F32, new float[] {0.1f, Float.MIN_VALUE, 3e38f, -0f}, 2, 2),
                tensor("h", ElementType.F16, new float[] {0.5f}, 1),
                tensor("d", ElementType.F64, new float[] {0.1f}),
                tensor("empty", ElementType.F32, new float[0], 0, 5));
        WrittenFile written = writer.write(path("x.safetensors"), tensors, Map.of("format", "pt"));
        assertThat(written.name()).isEqualTo("x.safetensors");
        assertThat(folder.resolve("x.safetensors")).hasSize(written.bytes());
        try (TensorReader reader = files.open(path("x.safetensors"))) {
            assertThat(reader.metadata()).containsEntry("format", "pt");
            assertThat(reader.tensors().keySet()).containsExactlyInAnyOrder("d", "f", "empty", "b", "h");
            assertThat(reader.info("f")).isEqualTo(new TensorInfo("f", ElementType.F32, List.of(2, 2)));
            assertThat(reader.readFloats("b")).containsExactly(1f, -2.5f, 0f);
            assertThat(reader.readFloats("f")).containsExactly(0.1f, Float.MIN_VALUE, 3e38f, -0f);
            assertThat(reader.readFloats("h")).containsExactly(0.5f);
            assertThat(reader.readDoubles("d")).containsExactly((double) 0.1f);
            assertThat(reader.info("d").shape()).isEmpty();
            assertThat(reader.readFloats("empty")).isEmpty();
        }
    }

    @Test
    void largeTensorsAreReadAndWrittenInPieces() throws IOException {
        float[] values = new float[3_000_001];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        writer.write(path("large.safetensors"), List.of(tensor("x", ElementType.F32, values, values.length)), Map.of());
        List<Long> offsets = new ArrayList<>();
        try (TensorReader reader = files.open(path("large.safetensors"))) {
            assertThat(reader.readFloats("x")).isEqualTo(values);
            reader.read("x", (offset, piece, count) -> offsets.add(offset));
        }
        assertThat(offsets).hasSizeGreaterThan(10).startsWith(0L).isSorted();
    }

    @Test
    void aModelIsCutIntoShardsThatReadAsOneAndTheOldOnesGo() throws IOException {
        List<NamedTensor> tensors = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            tensors.add(tensor("layer." + i, ElementType.F32, new float[] {i, -i, i + 0.5f}, 3));
        }
        writer.writeModel(path(""), TensorShards.ofAtMost(1 << 20, tensors), Map.of());
        assertThat(names()).containsExactly("model.safetensors");
        writer.writeModel(path(""), TensorShards.ofAtMost(24, tensors), Map.of());
        assertThat(names())
                .containsExactly(
                        "model-00001-of-00003.safetensors",
                        "model-00002-of-00003.safetensors",
                        "model-00003-of-00003.safetensors",
                        "model.safetensors.index.json");
        try (TensorReader reader = files.openModel(path(""))) {
            assertThat(reader.tensors()).hasSize(5);
            assertThat(reader.readFloats("layer.4")).containsExactly(4f, -4f, 4.5f);
            assertThat(reader.metadata()).containsEntry("format", "pt");
        }
    }

    @Test
    void aMissingShardATensorThatIsNotThereAndAPathOutOfTheFolderAreNamed() throws IOException {
        List<NamedTensor> tensors = List.of(
                tensor("a", ElementType.F32, new float[] {1}, 1), tensor("b", ElementType.F32, new float[] {2}, 1));
        writer.writeModel(path(""), TensorShards.ofAtMost(4, tensors), Map.of());
        java.nio.file.Path index = folder.resolve("model.safetensors.index.json");
        String text = Files.readString(index);

        Files.writeString(index, text.replace("\"b\"", "\"c\""));
        assertThatThrownBy(() -> files.openModel(path("")))
                .hasMessageContaining("model-00002-of-00002.safetensors")
                .hasMessageContaining("'c'");

        Files.writeString(index, text.replace("model-00002-of-00002", "../model"));
        assertThatThrownBy(() -> files.openModel(path(""))).hasMessageContaining("no file beside the index");

        Files.writeString(index, text);
        Files.delete(folder.resolve("model-00002-of-00002.safetensors"));
        assertThatThrownBy(() -> files.openModel(path("")))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("model-00002-of-00002.safetensors")
                .hasMessageContaining("no such file");
    }

    @Test
    void aDirectoryWithoutWeightsAndATensorOfAnotherNameAreRefused() throws IOException {
        assertThatThrownBy(() -> files.openModel(path("")))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("there are no weights");
        writer.write(path("x.safetensors"), List.of(tensor("a", ElementType.F32, new float[] {1}, 1)), Map.of());
        try (TensorReader reader = files.open(path("x.safetensors"))) {
            assertThatThrownBy(() -> reader.readFloats("b"))
                    .hasMessageContaining("x.safetensors: there is no tensor 'b'");
            assertThatThrownBy(() -> reader.readLongs("a")).hasMessageContaining("tensor 'a' has type F32");
        }
    }

    @Test
    void equalTensorsGiveEqualFiles() throws IOException {
        List<NamedTensor> tensors = List.of(
                tensor("a", ElementType.BF16, new float[] {1, 2, 3}, 3),
                tensor("b", ElementType.F32, new float[] {4}, 1));
        writer.write(path("1"), tensors, Map.of("y", "1", "x", "2"));
        writer.write(path("2"), tensors, Map.of("x", "2", "y", "1"));
        assertThat(folder.resolve("1")).hasSameBinaryContentAs(folder.resolve("2"));
    }

    /** Single quotes stand for double quotes; 8 bytes of elements follow the header. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,12]}} | tensor 'a' lies at bytes",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,8]}} | tensor 'a' of shape [1]",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,0]}} | tensor 'a' lies at bytes",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[-4,0]}} | tensor 'a' has data_offsets",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 4 bytes after its last tensor",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | tensor 'a' begins at byte 4",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | tensor 'b' begins at byte 4",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 'a'",
                "{'a':{'dtype':'F8_E4M3','shape':[8],'data_offsets':[0,8]}} | tensor 'a' has element type 'F8_E4M3'",
                "{'a':{'dtype':'F32','shape':[2147483647,2147483647,2147483647],'data_offsets':[0,8]}} | tensor 'a' has the impossible shape",
                "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | tensor 'a' has a dimension of -2",
                "{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}} | tensor 'a' has a dimension of 2.0",
                "{'a':{'dtype':'F32','shape':[2]}} | tensor 'a' lacks",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]} | no valid JSON",
                "[1,2] | no JSON object",
                "{'__metadata__':{'x':1}} | __metadata__ 'x'",
            })
    void aHeaderThatDoesNotFitIsRefusedByName(String header, String message) throws IOException {
        byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + 8).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(
                folder.resolve("x.safetensors"),
                file.putLong(json.length).put(json).array());
        assertRefused(message);
    }

    @ParameterizedTest
    @CsvSource({"-1", "1", "0", "9", "100000001", "9223372036854775807"})
    void aHeaderLengthThatCannotBeIsRefused(long length) throws IOException {
        ByteBuffer file = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(folder.resolve("x.safetensors"), file.putLong(length).array());
        assertRefused("its header is said to have " + length);
    }

    @Test
    void aFileCutAnywhereIsRefused() throws IOException {
        writer.write(
                path("whole.safetensors"),
                List.of(tensor("a", ElementType.F32, new float[] {1, 2}, 2)),
                Map.of("format", "pt"));
        byte[] whole = Files.readAllBytes(folder.resolve("whole.safetensors"));
        for (int length = 0; length < whole.length; length++) {
            Files.write(folder.resolve("x.safetensors"), java.util.Arrays.copyOf(whole, length));
            assertRefused("");
        }
    }

    private void assertRefused(String message) {
        assertThatThrownBy(() -> files.open(path("x.safetensors")))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA))
                .hasMessageContaining("x.safetensors: ")
                .hasMessageContaining(message);
    }

    private static NamedTensor tensor(String name, ElementType type, float[] values, Integer... shape) {
        return new NamedTensor(new TensorInfo(name, type, List.of(shape)), FloatSource.of(values));
    }

    private List<String> names() throws IOException {
        try (Stream<java.nio.file.Path> paths = Files.list(folder)) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private Path path(String name) {
        return new Path(folder.resolve(name).toUri());
    }
}
