package io.rlhf4j.workers.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.HashingOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads what stands in a checkpoint's folder, and says what is wrong with it. */
final class CheckpointReading {
    private final FileSystem fileSystem;
    private final ObjectMapper json;

    CheckpointReading(FileSystem fileSystem, ObjectMapper json) {
        this.fileSystem = fileSystem;
        this.json = json;
    }

    CheckpointManifest manifest(Path path) {
        try (InputStream in = fileSystem.open(new Path(path, CheckpointManifest.NAME))) {
            JsonNode told = json.readTree(in);
            int format = told.path("format").asInt();
            if (format != CheckpointManifest.FORMAT) {
                throw Rlhf4jException.data(
                        "%s/%s is of format %d, and this version of rlhf4j reads format %d; if another version wrote it, go on with that one"
                                .formatted(path, CheckpointManifest.NAME, format, CheckpointManifest.FORMAT));
            }
            return json.treeToValue(told, CheckpointManifest.class);
        } catch (FileNotFoundException missing) {
            throw Rlhf4jException.data(path + " has no manifest: it was never finished", missing);
        } catch (IOException damaged) {
            throw Rlhf4jException.data(
                    "%s/%s cannot be read: %s".formatted(path, CheckpointManifest.NAME, damaged.getMessage()), damaged);
        }
    }

    JsonNode state(Path path) {
        try (InputStream in = fileSystem.open(new Path(path, CheckpointManifest.STATE))) {
            return json.readTree(in);
        } catch (IOException damaged) {
            throw Rlhf4jException.data(
                    "%s/%s cannot be read: %s".formatted(path, CheckpointManifest.STATE, damaged.getMessage()),
                    damaged);
        }
    }

    void verify(Path path, CheckpointFile file) {
        try {
            long bytes = fileSystem.getFileStatus(path).getLen();
            if (bytes != file.bytes()) {
                throw Rlhf4jException.data(
                        "%s has %d bytes, its manifest says %d".formatted(path, bytes, file.bytes()));
            }
            try (InputStream in = fileSystem.open(path)) {
                HashingOutputStream hash = new HashingOutputStream(OutputStream.nullOutputStream());
                in.transferTo(hash);
                if (!hash.sha256().equals(file.sha256())) {
                    throw Rlhf4jException.data(path + " is damaged: its SHA-256 is not that of its manifest");
                }
            }
        } catch (IOException unreadable) {
            throw Rlhf4jException.data(path + " cannot be read: " + unreadable, unreadable);
        }
    }

    /** The files of all parts; empty where one is missing, or is just being written. */
    Optional<List<CheckpointFile>> parts(Path path, String attempt, int ranks) {
        List<CheckpointFile> files = new ArrayList<>();
        try {
            Set<String> there = Stream.of(fileSystem.listStatus(path))
                    .map(FileStatus::getPath)
                    .map(Path::getName)
                    .collect(Collectors.toSet());
            for (int rank = 0; rank < ranks; rank++) {
                String name = new RankFiles(attempt, rank, ranks).part();
                if (!there.contains(name)) {
                    return Optional.empty();
                }
                try (InputStream in = fileSystem.open(new Path(path, name))) {
                    files.addAll(List.of(json.readValue(in, CheckpointFile[].class)));
                }
            }
            return Optional.of(files);
        } catch (FileNotFoundException | JsonProcessingException unfinished) {
            return Optional.empty();
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot look into " + path, unreadable);
        }
    }
}
