package io.rlhf4j.workers.checkpoint;

import java.io.Serializable;

/**
 * A file of a checkpoint, as the manifest names it.
 *
 * @param name file name within the checkpoint's folder
 * @param bytes its size
 * @param sha256 its hash, hexadecimal
 */
public record CheckpointFile(String name, long bytes, String sha256) implements Serializable {}
