package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.driver.files.FaultyFileSystem;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A version of the weights, written by several ranks, each its share, and read by whoever samples with it. */
@Timeout(170)
class PublishedWeightsTest {
    private static final Configuration HADOOP = new Configuration();
    private static final String SECOND_SHARE = "actor/model-00002-of-00003.safetensors";

    @TempDir
    private Path folder;

    @AfterEach
    void removeFault() {
        FaultyFileSystem.clear();
    }

    /** The embedding of OPT is its head too: it has four units, llama and the critics have five. */
    @ParameterizedTest
    @CsvSource({
        "llama,0,1",
        "llama,0,2",
        "llama,0,3",
        "llama,3,1",
        "llama,3,2",
        "llama,3,3",
        "llama,3,7",
        "opt,3,3",
        "opt,3,6"
    })
    void howeverManyRanksWriteThemTheTensorsAreTheSame(String family, int stage, int ranks) throws Exception {
        Publication published = publication(family, stage);
        assertThat(published.by(ranks)).isEmpty();

        assertThat(tensors(local("actor").toString()))
                .isEqualTo(tensors(TinyRun.model(family).toString()));
        assertThat(tensors(local("critic").toString()).keySet()).contains("score.weight");
        int files = Math.min(ranks, family.equals("opt") ? 4 : 5);
        assertThat(names("actor").filter(name -> name.startsWith("model-")).toList())
                .hasSize(ranks == 1 ? 0 : files);
        assertThat(names("actor").toList())
                .contains(
                        "config.json",
                        "tokenizer.json",
                        ranks == 1 ? "model.safetensors" : "model.safetensors.index.json");
        assertThat(published.weights().whole(Publication.VERSION)).isTrue();
        published.load();
    }

    @Test
    void publishedAgainByAsManyTheyHaveTheSameBytes() throws Exception {
        Publication published = publication("llama", 3);
        assertThat(published.by(3)).isEmpty();
        String before = published.weights().content(Publication.VERSION, null);
        Files.writeString(local("actor/model-00001-of-00004.safetensors"), "of other ranks");

        assertThat(published.by(3)).isEmpty();
        assertThat(published.weights().content(Publication.VERSION, null)).isEqualTo(before);
        assertThat(published.weights().whole(Publication.VERSION)).isTrue();
    }

    /** In the header, where its numbers are changed or its text is none any more; in a tensor; at the end. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 1e-5, 2e-3, 0.5, 1})
    void aDamagedShareIsToldByWhomeverLoadsIt(double place) throws Exception {
        Publication published = publication("llama", 0);
        assertThat(published.by(3)).isEmpty();
        Path file = local(SECOND_SHARE);
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) (place * (bytes.length - 1))] ^= 1;
        Files.write(file, bytes);

        assertRefused(published, SECOND_SHARE + " is damaged");
        assertThat(published.weights().whole(Publication.VERSION)).isFalse();
    }

    @Test
    void aShareThatIsCutShortIsTold() throws Exception {
        Publication published = publication("llama", 0);
        assertThat(published.by(3)).isEmpty();
        byte[] bytes = Files.readAllBytes(local(SECOND_SHARE));
        Files.write(local(SECOND_SHARE), java.util.Arrays.copyOf(bytes, bytes.length / 2));

        assertRefused(published, SECOND_SHARE + " is damaged");
    }

    @ParameterizedTest
    @ValueSource(strings = {SECOND_SHARE, "critic/config.json", "actor/model.safetensors.index.json"})
    void aFileThatIsMissingOrIsAnotherIsTold(String name) throws Exception {
        Publication published = publication("llama", 0);
        assertThat(published.by(3)).isEmpty();
        byte[] bytes = Files.readAllBytes(local(name));
        Files.delete(local(name));
        assertRefused(published, "its files are not those of its manifest");

        bytes[bytes.length / 2] ^= 1;
        Files.write(local(name), bytes);
        assertRefused(published, "is damaged", "are damaged");
        Files.writeString(local("actor/another"), "file");
        assertRefused(published, "its files are not those of its manifest");
    }

    @ParameterizedTest
    @CsvSource({"0,actor/model-00002", "3,critic/model-00003", "3,actor/config.json", "0,manifest.json"})
    void aRankThatFailsWhileItWritesLeavesNothingWhole(int stage, String file) throws Exception {
        Publication undisturbed = publication("undisturbed", "llama", stage);
        assertThat(undisturbed.by(3)).isEmpty();
        Publication published = publication("llama", stage);
        FaultyFileSystem.once("runs/published/weights/.*/" + file, file.contains("config") ? 10 : 100, () -> {
            throw new IOException("the machine is gone");
        });

        assertThat(published.by(3)).hasSize(file.startsWith("manifest") ? 1 : 3).anySatisfy(error -> assertThat(error)
                .hasMessageContaining("the machine is gone"));
        assertThat(FaultyFileSystem.clear()).isFalse();
        assertThat(published.weights().whole(Publication.VERSION)).isFalse();
        assertThatThrownBy(published::load)
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("never finished");

        assertThat(published.by(3)).isEmpty();
        assertThat(published.weights().content(Publication.VERSION, null))
                .isEqualTo(undisturbed.weights().content(Publication.VERSION, null));
        published.load();
    }

    private static void assertRefused(Publication published, String... anyOf) {
        assertThatThrownBy(published::load).isInstanceOfSatisfying(Rlhf4jException.class, error -> {
            assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE);
            assertThat(List.of(anyOf)).anyMatch(error.getMessage()::contains);
        });
    }

    private static Map<String, List<Float>> tensors(String directory) throws IOException {
        Map<String, List<Float>> tensors = new TreeMap<>();
        try (TensorReader reader = new TensorFiles(HADOOP).openModel(new org.apache.hadoop.fs.Path(directory))) {
            for (String name : reader.tensors().keySet()) {
                tensors.put(name, boxed(reader.readFloats(name)));
            }
        }
        return tensors;
    }

    private static List<Float> boxed(float... values) {
        List<Float> boxed = new java.util.ArrayList<>();
        for (float value : values) {
            boxed.add(value);
        }
        return boxed;
    }

    private Stream<String> names(String model) throws IOException {
        try (Stream<Path> files = Files.list(local(model))) {
            return files.map(file -> file.getFileName().toString()).toList().stream();
        }
    }

    private Path local(String file) {
        return folder.resolve("runs/published/weights/version=00000001").resolve(file);
    }

    private Publication publication(String family, int stage) throws IOException {
        return publication("published", family, stage);
    }

    private Publication publication(String name, String family, int stage) throws IOException {
        return new Publication(folder, "faulty:" + folder.resolve("runs"), name, family, stage, HADOOP);
    }
}
