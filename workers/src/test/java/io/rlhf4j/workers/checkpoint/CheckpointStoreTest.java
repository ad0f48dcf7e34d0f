package io.rlhf4j.workers.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Fence;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {
    @TempDir
    private java.nio.file.Path directory;

    @Test
    void aCommittedCheckpointIsFoundWithItsFilesAndState() throws IOException {
        commit(store(3), 40, "forty");
        Checkpoint found = store(3).latest().checkpoint().orElseThrow();
        assertThat(found.step()).isEqualTo(40);
        assertThat(found.state().get("note").asText()).isEqualTo("forty");
        assertThat(found.files()).extracting(CheckpointFile::name).containsExactly("shard-0", "shard-1", "state.json");
        assertThat(found.open("shard-1").readAllBytes()).isEqualTo(bytes("forty 1"));
        assertThat(Files.list(directory.resolve("step-00000040"))
                        .map(file -> file.getFileName().toString()))
                .containsExactlyInAnyOrder("manifest.json", "state.json", "shard-0", "shard-1");
    }

    @Test
    void anEmptyFolderHasNoCheckpointAndNothingToReport() {
        CheckpointStore.Search search = store(1).latest();
        assertThat(search.checkpoint()).isEmpty();
        assertThat(search.passedOver()).isEmpty();
    }

    @Test
    void aCheckpointWithoutItsManifestIsPassedOver() {
        commit(store(3), 10, "ten");
        CheckpointStore store = store(3);
        store.begin(20);
        store.write(20, "shard-0", out -> out.write(bytes("half")));
        assertLatest(10, "step-00000020 has no manifest");
    }

    @Test
    void damageOfEveryKindIsSaidAndPassedOver() throws IOException {
        for (long step = 1; step <= 6; step++) {
            commit(store(9), step, "step " + step);
        }
        Files.write(file(6, "shard-0"), bytes("Step 6 0"));
        Files.write(file(5, "shard-0"), bytes("!"), StandardOpenOption.APPEND);
        Files.delete(file(4, "shard-1"));
        byte[] manifest = Files.readAllBytes(file(3, "manifest.json"));
        Files.write(file(3, "manifest.json"), java.util.Arrays.copyOf(manifest, manifest.length / 2));
        Files.writeString(
                file(2, "manifest.json"),
                Files.readString(file(2, "manifest.json")).replace("shard-0", "../step-00000001/shard-0"));
        CheckpointStore.Search search = store(9).latest();
        assertThat(search.checkpoint())
                .hasValueSatisfying(found -> assertThat(found.step()).isEqualTo(1));
        assertThat(search.passedOver()).hasSize(5);
        assertThat(search.passedOver().get(0)).contains("step-00000006/shard-0").contains("SHA-256");
        assertThat(search.passedOver().get(1)).contains("has 9 bytes, its manifest says 8");
        assertThat(search.passedOver().get(2)).contains("step-00000004/shard-1 cannot be read");
        assertThat(search.passedOver().get(3)).contains("step-00000003/manifest.json cannot be read");
        assertThat(search.passedOver().get(4)).contains("is no file name");
    }

    @Test
    void ofReadersThatShareTheCheckOneFindsTheDamage() throws IOException {
        commit(store(1), 7, "seven");
        for (String damaged : List.of("shard-0", "shard-1")) {
            byte[] whole = Files.readAllBytes(file(7, damaged));
            Files.write(file(7, damaged), bytes("Seven x"));
            for (int readers = 1; readers <= 4; readers++) {
                List<String> said = new ArrayList<>();
                for (int reader = 0; reader < readers; reader++) {
                    try {
                        store(1).open(7, reader, readers);
                    } catch (Rlhf4jException refused) {
                        said.add(refused.getMessage());
                    }
                }
                assertThat(said).singleElement().asString().contains(damaged).contains("SHA-256");
            }
            Files.write(file(7, damaged), whole);
        }
    }

    @Test
    void theNewestStayAndOlderOnesGo() {
        for (long step = 1; step <= 5; step++) {
            commit(store(2), step, "kept");
        }
        assertThat(directory.toFile().list()).containsExactlyInAnyOrder("step-00000004", "step-00000005");
    }

    @Test
    void everySoManyStepsOneStaysForGood() {
        for (long step = 1; step <= 9; step++) {
            commit(store(new Retention(2, 3)), step, "kept");
        }
        assertThat(store(1).steps()).containsExactly(9L, 8L, 6L, 3L);
        assertThat(store(1).prune(new Retention(1, 6))).containsExactly(8L, 3L);
        assertThat(store(1).steps()).containsExactly(9L, 6L);
    }

    @Test
    void unfinishedAttemptsDoNotCountAmongThoseKept() {
        commit(store(2), 1, "whole");
        store(2).write(2, "shard-0", out -> out.write(bytes("half")));
        commit(store(2), 3, "whole");
        assertThat(directory.toFile().list())
                .containsExactlyInAnyOrder("step-00000001", "step-00000002", "step-00000003");
    }

    @Test
    void anUnfinishedAttemptIsWrittenOver() throws IOException {
        CheckpointStore store = store(2);
        store.write(7, "shard-0", out -> out.write(bytes("of a writer that died")));
        commit(store, 7, "new");
        Checkpoint found = store.latest().checkpoint().orElseThrow();
        assertThat(found.open("shard-0").readAllBytes()).isEqualTo(bytes("new 0"));
    }

    @Test
    void aStateIsWholeWhenAllRanksOfTheAttemptHaveToldTheirFiles() throws IOException {
        CheckpointStore store = store(2);
        store.begin(4);
        RankFiles abandoned = new RankFiles("0000000a", 1, 2);
        store.writePart(4, abandoned, List.of(store.write(4, abandoned.tensors("state"), out -> out.write(1))));
        RankFiles first = new RankFiles("0000000b", 0, 2);
        CheckpointFile written = store.write(4, first.tensors("state"), out -> out.write(2));
        store.writePart(4, first, List.of(written));
        assertThat(store.parts(4, "0000000b", 2)).isEmpty();
        assertThat(store.parts(4, "0000000b", 1)).isEmpty();
        Files.writeString(file(4, "part-00002-of-00002-0000000b.json"), "[{\"name\": \"state-0");
        assertThat(store.parts(4, "0000000b", 2)).isEmpty();

        RankFiles second = new RankFiles("0000000b", 1, 2);
        CheckpointFile last = store.write(4, second.tensors("state"), out -> out.write(3));
        store.writePart(4, second, List.of(last));
        assertThat(store.parts(4, "0000000b", 2)).hasValue(List.of(written, last));
        Checkpoint whole = store.commit(4, List.of(written, last), JsonNodeFactory.instance.objectNode());
        assertThat(whole.tensorFiles("state"))
                .extracting(Path::getName)
                .containsExactly(
                        "state-00001-of-00002-0000000b.safetensors", "state-00002-of-00002-0000000b.safetensors");
        assertThat(whole.tensorFiles("stat")).isEmpty();
    }

    @Test
    void aFullDiskIsSaidAndLeavesTheLastCheckpointWhole() throws IOException {
        commit(store(1), 10, "ten");
        CheckpointStore full = new CheckpointStore(
                new FullDisk(1000),
                new Path(directory.toUri()),
                new Configuration(),
                new Retention(1, 0),
                Map.of("rlhf4j", "test"),
                Fence.open());
        full.begin(20);
        assertThatThrownBy(() -> full.write(20, "shard-0", out -> out.write(new byte[2000])))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("step-00000020/shard-0")
                .hasMessageContaining("No space left on device")
                .hasMessageContaining("free some space");
        assertLatest(10, "step-00000020 has no manifest");
    }

    private void assertLatest(long step, String passedOver) {
        CheckpointStore.Search search = store(3).latest();
        assertThat(search.checkpoint())
                .hasValueSatisfying(found -> assertThat(found.step()).isEqualTo(step));
        assertThat(search.passedOver()).singleElement().asString().contains(passedOver);
    }

    private CheckpointStore store(int keep) {
        return store(new Retention(keep, 0));
    }

    private CheckpointStore store(Retention retention) {
        return new CheckpointStore(
                new Path(directory.toUri()), new Configuration(), retention, Map.of("rlhf4j", "test"), Fence.open());
    }

    private static void commit(CheckpointStore store, long step, String text) {
        store.begin(step);
        List<CheckpointFile> files = List.of(
                store.write(step, "shard-0", out -> out.write(bytes(text + " 0"))),
                store.write(step, "shard-1", out -> out.write(bytes(text + " 1"))));
        ObjectNode state = JsonNodeFactory.instance.objectNode().put("note", text);
        store.commit(step, files, state);
    }

    private java.nio.file.Path file(long step, String name) {
        return directory.resolve("step-%08d".formatted(step)).resolve(name);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A local disk with room for so many bytes in each file. */
    private static final class FullDisk extends FilterFileSystem {
        private final int room;

        FullDisk(int room) throws IOException {
            super(raw());
            this.room = room;
        }

        private static FileSystem raw() throws IOException {
            RawLocalFileSystem raw = new RawLocalFileSystem();
            raw.initialize(java.net.URI.create("file:///"), new Configuration());
            return raw;
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
            OutputStream file = super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
            return new FSDataOutputStream(
                    new OutputStream() {
                        private int written;

                        @Override
                        public void write(int value) throws IOException {
                            if (++written > room) {
                                throw new IOException("No space left on device");
                            }
                            file.write(value);
                        }

                        @Override
                        public void close() throws IOException {
                            file.close();
                        }
                    },
                    null);
        }
    }
}
