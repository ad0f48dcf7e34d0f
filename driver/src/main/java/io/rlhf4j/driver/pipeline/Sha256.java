package io.rlhf4j.driver.pipeline;

import io.rlhf4j.format.HashingOutputStream;
import io.rlhf4j.format.PlainFiles;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Hashes by which files and texts are known again, hexadecimal. */
final class Sha256 {
    private Sha256() {}

    /** Of a file's bytes. */
    static String of(Path file, Configuration hadoop) throws IOException {
        try (InputStream in = PlainFiles.fileSystem(file, hadoop).open(file)) {
            return of(in);
        }
    }

    /** Of a text. */
    static String of(String text) {
        try {
            return of(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException impossible) {
            throw new UncheckedIOException("bytes in memory can be read", impossible);
        }
    }

    private static String of(InputStream in) throws IOException {
        try (HashingOutputStream out = new HashingOutputStream(OutputStream.nullOutputStream())) {
            in.transferTo(out);
            return out.sha256();
        }
    }
}
