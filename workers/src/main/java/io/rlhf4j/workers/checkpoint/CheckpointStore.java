package io.rlhf4j.workers.checkpoint;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.HashingOutputStream;
import io.rlhf4j.run.Fence;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The checkpoints of one phase of a run, in folders {@code step-<8 digits>} on any Hadoop file system.
 *
 * <p>Ranks write files ({@link #write}), then one writer commits ({@link #commit}): the manifest, which names every file with
 * its size and hash, is written last. A folder without a manifest that its files match is no checkpoint. Nothing is
 * renamed, because on an object store that is not atomic.
 */
public final class CheckpointStore {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final FileSystem fileSystem;
    private final Path folder;
    private final Retention retention;
    private final Map<String, String> versions;
    private final Configuration configuration;
    private final Fence fence;
    private final CheckpointReading reading;

    /**
     * The checkpoints in {@code folder}, which need not exist.
     *
     * @param retention which checkpoints stay when another is committed
     * @param versions of the software, by name, for the manifests
     * @param fence asked before anything is written
     */
    public CheckpointStore(
            Path folder, Configuration configuration, Retention retention, Map<String, String> versions, Fence fence) {
        this(fileSystem(folder, configuration), folder, configuration, retention, versions, fence);
    }

    CheckpointStore(
            FileSystem fileSystem,
            Path folder,
            Configuration configuration,
            Retention retention,
            Map<String, String> versions,
            Fence fence) {
        this.fileSystem = fileSystem;
        this.folder = folder;
        this.retention = retention;
        this.versions = Map.copyOf(versions);
        this.configuration = configuration;
        this.fence = fence;
        this.reading = new CheckpointReading(fileSystem, JSON);
    }

    private static FileSystem fileSystem(Path folder, Configuration configuration) {
        try {
            FileSystem fileSystem = folder.getFileSystem(configuration);
            // The manifest has better hashes than the .crc files that Hadoop lays beside local files.
            return fileSystem instanceof LocalFileSystem local ? local.getRawFileSystem() : fileSystem;
        } catch (IOException unreachable) {
            throw new UncheckedIOException("no file system for " + folder, unreachable);
        }
    }

    /** What {@link #latest()} found. */
    public record Search(Optional<Checkpoint> checkpoint, List<String> passedOver) {}

    /**
     * Writes one file of the checkpoint of {@code step}, over what an unfinished attempt may have left.
     *
     * @param name file name within the checkpoint's folder
     * @return the file with its size and hash, for {@link #commit}
     * @throws Rlhf4jException of kind RETRYABLE where it cannot be written (no space left), or a later start of the run has
     *     taken over
     */
    public CheckpointFile write(long step, String name, CheckpointContent content) {
        requirePlain(step, name);
        Path path = new Path(folder(step), name);
        fence.pass(path, configuration);
        try (HashingOutputStream out = new HashingOutputStream(fileSystem.create(path, true))) {
            content.writeTo(out);
            out.close();
            return new CheckpointFile(name, out.bytes(), out.sha256());
        } catch (IOException failed) {
            throw cannotWrite(path, failed);
        }
    }

    /** Tells that a rank has written all its files: what {@link #parts} looks for. */
    public void writePart(long step, RankFiles rank, List<CheckpointFile> files) {
        write(step, rank.part(), out -> JSON.writeValue(out, files));
    }

    /** The files that all ranks of an attempt have written for {@code step}; empty where one has not told yet. */
    public Optional<List<CheckpointFile>> parts(long step, String attempt, int ranks) {
        return reading.parts(folder(step), attempt, ranks);
    }

    /**
     * Makes the checkpoint of {@code step} whole and removes those that are too old.
     *
     * @param files what all ranks have written
     * @param state all that is not a tensor
     */
    public Checkpoint commit(long step, List<CheckpointFile> files, JsonNode state) {
        List<CheckpointFile> all = new ArrayList<>(files);
        all.add(write(step, CheckpointManifest.STATE, out -> JSON.writeValue(out, state)));
        CheckpointManifest manifest = new CheckpointManifest(
                        CheckpointManifest.FORMAT,
                        step,
                        fence.epoch(),
                        Instant.now().toString(),
                        versions,
                        all,
                        "")
                .sealed(JSON);
        write(step, CheckpointManifest.NAME, out -> JSON.writerWithDefaultPrettyPrinter()
                .writeValue(out, manifest));
        prune(retention);
        return new Checkpoint(fileSystem, folder(step), manifest, state);
    }

    /**
     * Clears the way for a new checkpoint of {@code step}: without its manifest, what lies there is no checkpoint any more,
     * and goes.
     */
    public void begin(long step) {
        Path path = folder(step);
        fence.pass(path, configuration);
        try {
            fileSystem.delete(new Path(path, CheckpointManifest.NAME), false);
            fileSystem.delete(path, true);
            fileSystem.mkdirs(path);
        } catch (IOException failed) {
            throw cannotWrite(path, failed);
        }
    }

    /** The newest whole checkpoint, and which newer ones are not whole and why. Reads every byte of what it checks. */
    public Search latest() {
        List<String> passedOver = new ArrayList<>();
        for (long step : stepsNewestFirst()) {
            try {
                return new Search(Optional.of(open(step)), passedOver);
            } catch (Rlhf4jException damaged) {
                passedOver.add(damaged.getMessage());
            }
        }
        return new Search(Optional.empty(), passedOver);
    }

    /**
     * The checkpoint of {@code step}, after a check of every file.
     *
     * @throws Rlhf4jException of kind DATA where it is not whole
     */
    public Checkpoint open(long step) {
        return open(step, 0, 1);
    }

    /**
     * {@link #open(long)} by several readers that share the check.
     *
     * @param reader number of this one, from 0; it checks every {@code readers}-th file from that on
     */
    public Checkpoint open(long step, int reader, int readers) {
        Checkpoint checkpoint = look(step);
        List<CheckpointFile> files = checkpoint.files();
        for (int i = reader; i < files.size(); i += readers) {
            reading.verify(checkpoint.path(files.get(i).name()), files.get(i));
        }
        return checkpoint;
    }

    /**
     * The checkpoint of {@code step} as its manifest tells it; the bytes of its files are not looked at.
     *
     * @throws Rlhf4jException of kind DATA where there is none
     */
    public Checkpoint look(long step) {
        Path path = folder(step);
        CheckpointManifest manifest = reading.manifest(path);
        manifest.files().forEach(file -> requirePlain(step, file.name()));
        if (manifest.step() != step || !manifest.isWhole(JSON)) {
            throw Rlhf4jException.data("%s/%s is damaged, or not of step %d: its seal does not fit what it says"
                    .formatted(path, CheckpointManifest.NAME, step));
        }
        return new Checkpoint(fileSystem, path, manifest, reading.state(path));
    }

    /** The steps whose checkpoints have a manifest, the newest first; whether they are whole {@link #open} tells. */
    public List<Long> steps() {
        List<Long> finished = new ArrayList<>();
        for (long step : stepsNewestFirst()) {
            try {
                if (fileSystem.exists(new Path(folder(step), CheckpointManifest.NAME))) {
                    finished.add(step);
                }
            } catch (IOException unreadable) {
                throw new UncheckedIOException("cannot look into " + folder(step), unreadable);
            }
        }
        return finished;
    }

    /**
     * Removes what {@code kept} does not ask for, and what unfinished attempts left before the oldest that stays.
     *
     * @return the steps whose checkpoints are gone, the newest first
     */
    public List<Long> prune(Retention kept) {
        fence.pass(folder, configuration);
        List<Long> finished = steps();
        List<Long> outdated = kept.outdated(finished);
        long oldestOfNewest = finished.isEmpty() ? 0 : finished.get(Math.min(kept.newest(), finished.size()) - 1);
        for (long step : stepsNewestFirst()) {
            if (outdated.contains(step) || !finished.contains(step) && step < oldestOfNewest) {
                remove(step);
            }
        }
        return outdated;
    }

    /** First the manifest: a reader sees the checkpoint whole or not at all. */
    private void remove(long step) {
        try {
            fileSystem.delete(new Path(folder(step), CheckpointManifest.NAME), false);
            fileSystem.delete(folder(step), true);
        } catch (IOException failed) {
            throw cannotWrite(folder(step), failed);
        }
    }

    private List<Long> stepsNewestFirst() {
        List<Long> steps = new ArrayList<>();
        try {
            for (FileStatus status : fileSystem.listStatus(folder)) {
                OptionalLong step = step(status.getPath().getName());
                step.ifPresent(steps::add);
            }
        } catch (FileNotFoundException none) {
            return List.of();
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot list " + folder, unreadable);
        }
        steps.sort(Comparator.reverseOrder());
        return steps;
    }

    private static OptionalLong step(String name) {
        return name.matches("step-\\d{8,18}")
                ? OptionalLong.of(Long.parseLong(name.substring("step-".length())))
                : OptionalLong.empty();
    }

    /** Where the checkpoint of a step lies. */
    public Path folder(long step) {
        return new Path(folder, "step-%08d".formatted(step));
    }

    private void requirePlain(long step, String name) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            throw Rlhf4jException.data("%s: '%s' is no file name for a checkpoint".formatted(folder(step), name));
        }
    }

    private Rlhf4jException cannotWrite(Path path, IOException failed) {
        List<Long> steps = stepsNewestFirst();
        String advice = String.valueOf(failed.getMessage()).contains("No space left")
                ? "free some space (or lower the number of checkpoints kept) and run again"
                : "is the file system writable?";
        return new Rlhf4jException(
                ErrorKind.RETRYABLE,
                "cannot write %s: %s; %s; committed checkpoints are untouched (steps in the folder: %s)"
                        .formatted(path, failed.getMessage(), advice, steps),
                failed);
    }
}
