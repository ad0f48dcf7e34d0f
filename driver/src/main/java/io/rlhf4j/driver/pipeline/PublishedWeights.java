package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.SmallFiles;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

    /** Where a model of a version is written to. */
    Path directory(long version, String model) {
        return new Path(folder.weights(version), model);
    }

    /** Clears the way for a version: without manifest, what lies there is none. */
    void begin(long version) throws IOException {
        delete(version);
    }

    /** Makes a version whole. */
    void commit(long version) throws IOException {
        Manifest manifest = new Manifest(version, folder.fence().epoch(), hashes(version));
        files.write(new Path(folder.weights(version), MANIFEST), JSON.writeValueAsString(manifest));
    }

    /** Whether a version is there with all its bytes. Reads all of them. */
    boolean whole(long version) throws IOException {
        if (version == 0) {
            return true;
        }
        Optional<Manifest> manifest = manifest(version);
        return manifest.isPresent() && manifest.get().files().equals(hashes(version));
    }

    /** @throws Rlhf4jException of kind RETRYABLE where a version was never finished, or is not what was published */
    void require(long version) throws IOException {
        if (!whole(version)) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "%s: its files are not those of its manifest: the published weights are damaged or were never finished"
                            .formatted(folder.weights(version)));
        }
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

    private TreeMap<String, String> hashes(long version) throws IOException {
        TreeMap<String, String> hashes = new TreeMap<>();
        for (String model : new String[] {ACTOR, CRITIC}) {
            Path directory = directory(version, model);
            FileSystem system = PlainFiles.fileSystem(directory, hadoop);
            if (!system.exists(directory)) {
                continue;
            }
            for (FileStatus file : system.listStatus(directory)) {
                hashes.put(model + "/" + file.getPath().getName(), Sha256.of(file.getPath(), hadoop));
            }
        }
        return hashes;
    }
}
