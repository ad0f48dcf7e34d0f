package io.rlhf4j.workers.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A whole checkpoint: its files have the sizes and hashes of its manifest. */
public final class Checkpoint {
    private final FileSystem fileSystem;
    private final Path folder;
    private final CheckpointManifest manifest;
    private final JsonNode state;

    Checkpoint(FileSystem fileSystem, Path folder, CheckpointManifest manifest, JsonNode state) {
        this.fileSystem = fileSystem;
        this.folder = folder;
        this.manifest = manifest;
        this.state = state;
    }

    /** The step after which the state was taken. */
    public long step() {
        return manifest.step();
    }

    /** All that is not a tensor: counters, schedules, adaptive KL, data position. */
    public JsonNode state() {
        return state;
    }

    /** When it was written, ISO 8601. */
    public String written() {
        return manifest.written();
    }

    /** Which start of the run wrote it; 0 where nobody counted. */
    public long epoch() {
        return manifest.epoch();
    }

    /** Bytes of its files. */
    public long bytes() {
        return manifest.files().stream().mapToLong(CheckpointFile::bytes).sum();
    }

    /** Its files but the manifest, in the order they were given. */
    public List<CheckpointFile> files() {
        return manifest.files();
    }

    /** Its folder. */
    public Path folder() {
        return folder;
    }

    /** Where one of its files lies. */
    public Path path(String name) {
        return new Path(folder, name);
    }

    /** The files in which all ranks, however many they were, wrote their parts of some tensors. */
    public List<Path> tensorFiles(String tensors) {
        Pattern name =
                Pattern.compile(Pattern.quote(tensors) + "-\\d+-of-\\d+-" + RankFiles.ATTEMPT + "\\.safetensors");
        return files().stream()
                .map(CheckpointFile::name)
                .filter(name.asMatchPredicate())
                .map(this::path)
                .toList();
    }

    /** Reads one of its files. */
    public InputStream open(String name) throws IOException {
        return fileSystem.open(path(name));
    }
}
