package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.FileHashes;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.format.WrittenFile;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.hub.ModelShare;
import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.SmallFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Versions of actor and critic that rollouts are made with: a folder for each, made whole by a manifest that names its
 * files with their hashes and is written last. Version 0 is what the step started from and lies where it came from.
 */
final class PublishedWeights {
    static final String ACTOR = "actor";
    static final String CRITIC = "critic";
    private static final String MANIFEST = "manifest.json";
    private static final String WEIGHTS = ".safetensors";
    private static final Pattern NAME = Pattern.compile("version=(\\d{8,18})");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RunFolder folder;
    private final Configuration hadoop;
    private final SmallFiles files;

    /** The versions of a run, published by whom the fence of {@code folder} lets pass. */
    PublishedWeights(RunFolder folder, Configuration hadoop) {
        this.folder = folder;
        this.hadoop = hadoop;
        this.files = folder.files();
    }

    /** What makes a version whole: its files by path within the folder, with their SHA-256, and which start wrote it. */
    record Manifest(long version, long epoch, TreeMap<String, String> files) {}

    /** Where the actor of a version lies. */
    String actor(long version, PpoModels start) {
        return version == 0 ? start.actor() : directory(version, ACTOR).toString();
    }

    /** Where the critic of a version lies. */
    String critic(long version, PpoModels start) {
        return version == 0 ? start.critic() : directory(version, CRITIC).toString();
    }

    private Path directory(long version, String model) {
        return new Path(folder.weights(version), model);
    }

    /** Clears the way for a version: without manifest, what lies there is none. */
    void begin(long version) throws IOException {
        delete(version);
    }

    /**
     * Writes one share of a model of a version; with the first one what the model's directory has beside weights.
     *
     * @return SHA-256 of the files by path within the version's folder, for {@link #commit}
     */
    Map<String, String> write(long version, String name, LayeredModel model, ElementType type, ModelShare share)
            throws IOException {
        Path directory = directory(version, name);
        folder.fence().pass(directory, hadoop);
        ModelDirectory directories = new ModelDirectory(hadoop);
        List<WrittenFile> written = new ArrayList<>(directories.saveShare(model, directory, type, share));
        if (share.index() == 0) {
            written.addAll(directories.saveDescription(model, directory, type));
        }
        return written.stream().collect(Collectors.toMap(file -> path(name, file.name()), WrittenFile::sha256));
    }

    /**
     * Makes a version whole.
     *
     * @param hashes of all its files, as they were written
     */
    void commit(long version, Map<String, String> hashes) throws IOException {
        Manifest manifest = new Manifest(version, folder.fence().epoch(), new TreeMap<>(hashes));
        files.write(new Path(folder.weights(version), MANIFEST), JSON.writeValueAsString(manifest));
    }

    /** Whether a version is there with all its bytes. Reads all of them. */
    boolean whole(long version) throws IOException {
        if (version == 0) {
            return true;
        }
        Optional<Manifest> manifest = manifest(version);
        return manifest.isPresent() && hasFiles(version, manifest.get().files(), name -> true);
    }

    /**
     * What a version's files of weights have to be, for whoever loads them; all others are read and compared here.
     *
     * @throws Rlhf4jException of kind RETRYABLE where a version was never finished, or is not what was published
     */
    FileHashes require(long version) throws IOException {
        if (version == 0) {
            return FileHashes.ANY;
        }
        Optional<Manifest> manifest = manifest(version);
        if (manifest.isEmpty() || !hasFiles(version, manifest.get().files(), name -> !name.endsWith(WEIGHTS))) {
            throw damaged(version);
        }
        TreeMap<String, String> hashes = manifest.get().files();
        return file -> {
            String hash = hashes.get(path(file.getParent().getName(), file.getName()));
            if (hash == null) {
                throw damaged(version);
            }
            return Optional.of(hash);
        };
    }

    private Rlhf4jException damaged(long version) {
        return new Rlhf4jException(
                ErrorKind.RETRYABLE,
                "%s: its files are not those of its manifest: the published weights are damaged or were never finished"
                        .formatted(folder.weights(version)));
    }

    /**
     * A text that stands for the content of a version: the same bytes have the same.
     *
     * @throws Rlhf4jException of kind RETRYABLE where a version was never finished
     */
    String content(long version, PpoModels start) throws IOException {
        if (version == 0) {
            return start.toString();
        }
        return manifest(version)
                .map(manifest -> manifest.files().toString())
                .orElseThrow(() -> new Rlhf4jException(
                        ErrorKind.RETRYABLE,
                        "%s has no manifest: these weights were never finished".formatted(folder.weights(version))));
    }

    private Optional<Manifest> manifest(long version) throws IOException {
        try {
            Optional<String> text = files.read(new Path(folder.weights(version), MANIFEST));
            return text.isEmpty()
                    ? Optional.empty()
                    : Optional.of(JSON.readValue(text.get(), Manifest.class))
                            .filter(manifest -> manifest.version() == version && manifest.files() != null);
        } catch (JsonProcessingException damaged) {
            return Optional.empty();
        }
    }

    /** Removes a version, its manifest first: a reader sees it whole or not at all. */
    void delete(long version) throws IOException {
        Path path = folder.weights(version);
        folder.fence().pass(path, hadoop);
        FileSystem system = PlainFiles.fileSystem(path, hadoop);
        system.delete(new Path(path, MANIFEST), false);
        system.delete(path, true);
    }

    /** Removes all versions but these. */
    void keepOnly(Set<Long> versions) throws IOException {
        FileSystem system = PlainFiles.fileSystem(folder.weights(), hadoop);
        if (!system.exists(folder.weights())) {
            return;
        }
        for (FileStatus status : system.listStatus(folder.weights())) {
            Matcher version = NAME.matcher(status.getPath().getName());
            if (version.matches() && !versions.contains(Long.parseLong(version.group(1)))) {
                delete(Long.parseLong(version.group(1)));
            }
        }
    }

    /** Whether the files of a version are just those, and what is asked for has these hashes. */
    private boolean hasFiles(long version, Map<String, String> hashes, Predicate<String> read) throws IOException {
        Set<String> there = new TreeSet<>();
        for (String model : new String[] {ACTOR, CRITIC}) {
            Path directory = directory(version, model);
            FileSystem system = PlainFiles.fileSystem(directory, hadoop);
            if (!system.exists(directory)) {
                return false;
            }
            for (FileStatus status : system.listStatus(directory)) {
                Path file = status.getPath();
                String path = path(model, file.getName());
                if (read.test(path) && !Sha256.of(file, hadoop).equals(hashes.get(path))) {
                    return false;
                }
                there.add(path);
            }
        }
        return there.equals(hashes.keySet());
    }

    private static String path(String model, String file) {
        return model + "/" + file;
    }
}
