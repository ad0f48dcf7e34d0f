package io.rlhf4j.workers.checkpoint;

import java.io.IOException;
import java.io.OutputStream;

/** Writes the bytes of a checkpoint's file. */
@FunctionalInterface
public interface CheckpointContent {
    /** Writes everything to {@code out}, which the caller closes. */
    void writeTo(OutputStream out) throws IOException;
}
