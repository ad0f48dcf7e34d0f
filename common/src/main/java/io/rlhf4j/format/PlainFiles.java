package io.rlhf4j.format;

import io.rlhf4j.error.Rlhf4jException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Files as other programs see them. Hadoop's local file system keeps a hidden checksum file beside each file, and then
 * refuses one that another tool has changed; model directories are shared with other tools, so they are used without.
 */
public final class PlainFiles {
    private PlainFiles() {}

    /** The file system of {@code path}, without checksum files where it is local. */
    public static FileSystem fileSystem(Path path, Configuration configuration) throws IOException {
        FileSystem fileSystem = path.getFileSystem(configuration);
        return fileSystem instanceof LocalFileSystem local ? local.getRaw() : fileSystem;
    }

    /** Whether there is a file of this name. */
    public static boolean exists(Path file, Configuration configuration) throws IOException {
        return fileSystem(file, configuration).exists(file);
    }

    /**
     * The whole of a small file.
     *
     * @throws Rlhf4jException of kind DATA where it is missing or has more than {@code maximumBytes}
     */
    public static byte[] read(Path file, int maximumBytes, Configuration configuration) throws IOException {
        FileSystem fileSystem = fileSystem(file, configuration);
        FileStatus status = status(fileSystem, file);
        if (status.getLen() > maximumBytes) {
            throw Rlhf4jException.data(
                    "%s: has %d bytes, which is more than such a file can have (%d); is it another file?"
                            .formatted(file, status.getLen(), maximumBytes));
        }
        byte[] bytes = new byte[(int) status.getLen()];
        try (FSDataInputStream stream = fileSystem.open(file)) {
            stream.readFully(0, bytes);
        }
        return bytes;
    }

    /** What is written to a file. */
    @FunctionalInterface
    public interface Content {
        /** Writes it; the stream stays open. */
        void writeTo(OutputStream out) throws IOException;
    }

    /** Writes a file, in the place of one that may be there, and hashes it on the way. */
    public static WrittenFile write(Path file, Content content, Configuration configuration) throws IOException {
        try (HashingOutputStream out =
                new HashingOutputStream(fileSystem(file, configuration).create(file, true))) {
            content.writeTo(out);
            out.close();
            return new WrittenFile(file.getName(), out.bytes(), out.sha256());
        }
    }

    /** The status of a file that has to be there. */
    static FileStatus status(FileSystem fileSystem, Path file) throws IOException {
        try {
            FileStatus status = fileSystem.getFileStatus(file);
            if (status.isDirectory()) {
                throw Rlhf4jException.data(file + ": is a directory, not a file");
            }
            return status;
        } catch (FileNotFoundException e) {
            throw Rlhf4jException.data(file + ": there is no such file; is the model complete?", e);
        }
    }
}
