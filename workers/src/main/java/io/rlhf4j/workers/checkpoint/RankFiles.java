package io.rlhf4j.workers.checkpoint;

import java.io.Serializable;

/**
 * The names of the files that one rank writes for a checkpoint. They tell the attempt: what a task that was given up still
 * writes is never the file of the one that took its place.
 *
 * @param attempt eight hexadecimal digits, other ones whenever a driver begins anew
 * @param rank who writes, from 0
 * @param ranks how many write
 */
public record RankFiles(String attempt, int rank, int ranks) implements Serializable {
    static final String ATTEMPT = "[0-9a-f]{8}";

    public RankFiles {
        if (!attempt.matches(ATTEMPT)) {
            throw new IllegalArgumentException("'%s' are not eight hexadecimal digits".formatted(attempt));
        }
    }

    /** The attempt of a generation of a run's state, whatever that is called. */
    public static String attempt(String generation) {
        return "%08x".formatted(generation.hashCode());
    }

    /** The file of the rank's part of some tensors. */
    public String tensors(String name) {
        return "%s-%05d-of-%05d-%s.safetensors".formatted(name, rank + 1, ranks, attempt);
    }

    /** The file by which the rank tells that all others of its are written. */
    public String part() {
        return "part-%05d-of-%05d-%s.json".formatted(rank + 1, ranks, attempt);
    }
}
