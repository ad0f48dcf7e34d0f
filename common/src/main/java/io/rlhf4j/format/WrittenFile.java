package io.rlhf4j.format;

/**
 * A file as it was written.
 *
 * @param name within its folder
 * @param bytes its size
 * @param sha256 its hash, hexadecimal
 */
public record WrittenFile(String name, long bytes, String sha256) {}
