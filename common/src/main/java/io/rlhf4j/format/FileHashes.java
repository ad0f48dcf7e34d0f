package io.rlhf4j.format;

import java.util.Optional;
import org.apache.hadoop.fs.Path;

/** Hashes that files have to have which are read. */
@FunctionalInterface
public interface FileHashes {
    /** Files may be what they are. */
    FileHashes ANY = file -> Optional.empty();

    /** The SHA-256 of a file, hexadecimal; empty where it may have any. */
    Optional<String> of(Path file);
}
