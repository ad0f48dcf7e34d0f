package io.rlhf4j.workers.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.run.Fence;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever happens to a byte of a checkpoint, it is refused in words, and the one before it is taken. */
class DamagedCheckpointTest {
    private static final Configuration HADOOP = new Configuration();
    private static final int TRIES = 3000;
    private static final long STEP = 2;

    @TempDir
    private java.nio.file.Path directory;

    private CheckpointStore store;
    private Checkpoint whole;

    @BeforeEach
    void writeTwo() {
        store = new CheckpointStore(
                new Path(directory.toUri()), HADOOP, new Retention(9, 0), Map.of("rlhf4j", "test"), Fence.open());
        commit(1);
        whole = commit(STEP);
    }

    @Test
    void aFileThatWasChangedIsRefusedAndNamed() throws IOException {
        Random random = new Random(7);
        List<String> names = List.of("state-00001-of-00001-00c0ffee.safetensors", "state.json", "manifest.json");
        int refused = 0;
        for (int i = 0; i < TRIES; i++) {
            java.nio.file.Path file = directory.resolve("step-00000002").resolve(names.get(i % names.size()));
            byte[] bytes = Files.readAllBytes(file);
            byte[] damaged = damaged(bytes, random);
            Files.write(file, damaged);
            refused += refused(file.getFileName().toString()) ? 1 : 0;
            Files.write(file, bytes);
        }
        // Blanks and line ends of the manifest say nothing: there is a handful of them.
        assertThat(refused).isGreaterThan(TRIES * 9 / 10);
        assertThat(store.open(STEP).files()).isEqualTo(whole.files());
    }

    @Test
    void aManifestThatIsNoneIsRefused() throws IOException {
        java.nio.file.Path manifest = directory.resolve("step-00000002/manifest.json");
        String text = Files.readString(manifest);
        List<String> wrong = List.of(
                "",
                "null",
                "[]",
                "{}",
                "7",
                "{\"format\": 2}",
                "[".repeat(100_000),
                "{\"format\": 2, \"step\": 2, \"files\": [null]}",
                text + text,
                text.replace("\"format\" : 2", "\"format\" : 1"),
                text.replace("\"epoch\" : 0", "\"epoch\" : 9"),
                text.replace("\"step\" : 2", "\"step\" : 1"),
                text.replace("test", "tess"));
        for (String each : wrong) {
            Files.writeString(manifest, each);
            assertThat(refused("manifest.json")).as(each).isTrue();
        }
        assertThat(store.latest().checkpoint().map(Checkpoint::step)).hasValue(1L);
    }

    /** Whether the checkpoint is refused; where not, it has to be what it was. */
    private boolean refused(String name) {
        try {
            Checkpoint opened = store.open(STEP);
            assertThat(name).isEqualTo("manifest.json");
            assertThat(opened.files()).isEqualTo(whole.files());
            assertThat(opened.state()).isEqualTo(whole.state());
            assertThat(opened.written()).isEqualTo(whole.written());
            assertThat(opened.epoch()).isEqualTo(whole.epoch());
            return false;
        } catch (Rlhf4jException refused) {
            assertThat(refused.kind()).isEqualTo(ErrorKind.DATA);
            assertThat(refused).hasMessageContaining("step-00000002");
            CheckpointStore.Search search = store.latest();
            assertThat(search.checkpoint().map(Checkpoint::step)).hasValue(1L);
            assertThat(search.passedOver()).hasSize(1);
            return true;
        }
    }

    private static byte[] damaged(byte[] bytes, Random random) {
        int at = random.nextInt(bytes.length);
        byte[] changed = bytes.clone();
        switch (random.nextInt(5)) {
            case 0 -> changed[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> changed[at] = (byte) (bytes[at] + 1 + random.nextInt(255));
            case 2 -> changed = Arrays.copyOf(bytes, at);
            case 3 -> changed = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(100));
            default -> {
                int end = Math.min(bytes.length, at + 1 + random.nextInt(64));
                byte[] noise = new byte[end - at];
                random.nextBytes(noise);
                noise[0] = (byte) (bytes[at] ^ 0x55);
                System.arraycopy(noise, 0, changed, at, noise.length);
            }
        }
        return changed;
    }

    private Checkpoint commit(long step) {
        try (Scope scope = Scope.root(Backends.onClassPath().choose("auto", 1).backend(), "state")) {
            List<NamedTensor> tensors =
                    List.of(NamedTensor.of("weights", scope.of(DType.FP32, new float[] {step, 2, 3, 4}, 4)));
            store.begin(step);
            CheckpointFile file = store.write(
                    step, new RankFiles("00c0ffee", 0, 1).tensors("state"), out -> new SafetensorsWriter(HADOOP)
                            .write(out, tensors, Map.of()));
            ObjectNode state = JsonNodeFactory.instance.objectNode().put("beta", 0.05 + step);

            return store.commit(step, List.of(file), state);
        }
    }
}
