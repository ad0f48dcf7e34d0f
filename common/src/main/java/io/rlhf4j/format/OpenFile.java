package io.rlhf4j.format;

import io.rlhf4j.error.Rlhf4jException;
import java.io.Closeable;
import java.io.IOException;

/** A file, or several, that are being read. */
interface OpenFile extends Closeable {
    /**
     * Reads what has not been read yet of a file that has to have a hash, and compares that; other files may be what they are.
     *
     * @throws Rlhf4jException of kind RETRYABLE where it has another
     */
    default void verify() throws IOException {}
}
