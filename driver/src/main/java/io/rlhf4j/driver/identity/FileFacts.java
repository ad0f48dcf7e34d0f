package io.rlhf4j.driver.identity;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;

/** A line that tells whether files are what they were: by content where that is quickly read, else by size. */
final class FileFacts {
    private static final long QUICKLY_READ = 64L << 20;
    private static final long SMALL = 16L << 20;

    private final Configuration hadoop;

    FileFacts(Configuration hadoop) {
        this.hadoop = hadoop;
    }

    /** Files of rows. Above 64 MiB in all, sizes and times of change stand for the content. */
    String ofSource(List<FileStatus> files) throws IOException {
        long bytes = bytes(files);
        if (bytes <= QUICKLY_READ) {
            return "%s, sha256 %s".formatted(count(files), hash(files, QUICKLY_READ));
        }
        long newest =
                files.stream().mapToLong(FileStatus::getModificationTime).max().orElse(0);
        return "%s, changed %s".formatted(count(files), Instant.ofEpochMilli(newest));
    }

    /** Files of a model, wherever they lie. Of weights above 16 MiB, sizes stand for the content. */
    String ofModel(List<FileStatus> files) throws IOException {
        return "%s, sha256 %s".formatted(count(files), hash(files, SMALL));
    }

    private static String count(List<FileStatus> files) {
        return "%d files, %d bytes".formatted(files.size(), bytes(files));
    }

    private static long bytes(List<FileStatus> files) {
        return files.stream().mapToLong(FileStatus::getLen).sum();
    }

    /** Of names, sizes, and the content of files up to {@code readable} bytes. */
    private String hash(List<FileStatus> files, long readable) throws IOException {
        MessageDigest digest = sha256();
        try (DigestOutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
            for (FileStatus file : files) {
                out.write("%s %d\n"
                        .formatted(file.getPath().getName(), file.getLen())
                        .getBytes(StandardCharsets.UTF_8));
                if (file.getLen() <= readable) {
                    try (InputStream in = file.getPath().getFileSystem(hadoop).open(file.getPath())) {
                        in.transferTo(out);
                    }
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 8);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java platform has SHA-256", impossible);
        }
    }
}
