package io.rlhf4j.run;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;

/**
 * Text files that fit into memory. A reader sees the old text or the new one, never a part: local files and HDFS get a
 * temporary file that is renamed over the old one, which is atomic there; elsewhere (object stores) a file appears whole
 * when it is closed, and a rename would not be atomic.
 */
public final class SmallFiles {
    private final Configuration hadoop;
    private final Fence fence;

    /** Files that anybody may write. */
    public SmallFiles(Configuration hadoop) {
        this(hadoop, Fence.open());
    }

    /** Files that are written by whom {@code fence} lets pass. */
    public SmallFiles(Configuration hadoop, Fence fence) {
        this.hadoop = hadoop;
        this.fence = fence;
    }

    /** Who may write. */
    public Fence fence() {
        return fence;
    }

    /** The text of a file; empty where there is none. */
    public Optional<String> read(Path path) throws IOException {
        try (FSDataInputStream stream = PlainFiles.fileSystem(path, hadoop).open(path)) {
            return Optional.of(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
        } catch (FileNotFoundException e) {
            return Optional.empty();
        }
    }

    /** Whether there is such a file. */
    public boolean exists(Path path) throws IOException {
        return PlainFiles.fileSystem(path, hadoop).exists(path);
    }

    /**
     * Puts {@code text} in the place of the file's content.
     *
     * @throws Rlhf4jException of kind RETRYABLE where it cannot be written or a later start of the run has taken over; the
     *     old content is still there then
     */
    public void write(Path path, String text) {
        write(path, text.getBytes(StandardCharsets.UTF_8));
    }

    /** The same for any bytes. */
    public void write(Path path, byte[] bytes) {
        fence.pass(path, hadoop);
        try {
            FileSystem system = PlainFiles.fileSystem(path, hadoop);
            switch (system.getUri().getScheme()) {
                case "file" ->
                    replaceLocal(
                            java.nio.file.Path.of(system.makeQualified(path).toUri()), bytes);
                case "hdfs", "viewfs" -> replaceByRename(system, path, bytes);
                default -> create(system, path, bytes);
            }
        } catch (IOException e) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "%s: cannot be written: %s; is there room, and are you allowed to write there?"
                            .formatted(path, e.getMessage()),
                    e);
        }
    }

    private static void replaceLocal(java.nio.file.Path file, byte[] bytes) throws IOException {
        Files.createDirectories(file.getParent());
        java.nio.file.Path temporary = Files.createTempFile(file.getParent(), "." + file.getFileName(), ".tmp");
        try {
            Files.write(temporary, bytes);
            // The checksum that Hadoop may have written beside the old content would not fit the new one.
            Files.deleteIfExists(file.resolveSibling("." + file.getFileName() + ".crc"));
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private void replaceByRename(FileSystem system, Path path, byte[] bytes) throws IOException {
        Path temporary = new Path(
                path.getParent(),
                "." + path.getName() + "." + ProcessHandle.current().pid() + ".tmp");
        create(system, temporary, bytes);
        FileContext.getFileContext(system.getUri(), hadoop).rename(temporary, path, Options.Rename.OVERWRITE);
    }

    /**
     * Makes a file that is not there yet.
     *
     * @return whether it was made; false where it was there. Of several who try at once one succeeds, on local files and
     *     HDFS; an object store may let several succeed, of whom the last one's text stays
     */
    public boolean claim(Path path, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        FileSystem system = PlainFiles.fileSystem(path, hadoop);
        if (system.getUri().getScheme().equals("file")) {
            return claimLocal(java.nio.file.Path.of(system.makeQualified(path).toUri()), bytes);
        }
        OutputStream made;
        try {
            made = system.create(path, false);
        } catch (IOException refused) {
            // HDFS says in a way of its own that somebody else is just writing it.
            if (refused instanceof FileAlreadyExistsException || system.exists(path)) {
                return false;
            }
            throw refused;
        }
        try (OutputStream stream = made) {
            stream.write(bytes);
        }
        return true;
    }

    private static boolean claimLocal(java.nio.file.Path file, byte[] bytes) throws IOException {
        // Outside of the try: a file that stands where a folder has to be is no claim of somebody else.
        Files.createDirectories(file.getParent());
        try {
            Files.write(file, bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            return true;
        } catch (java.nio.file.FileAlreadyExistsException taken) {
            return false;
        }
    }

    private static void create(FileSystem system, Path path, byte[] bytes) throws IOException {
        try (OutputStream stream = system.create(path, true)) {
            stream.write(bytes);
        }
    }
}
