package io.rlhf4j.config;

import java.util.Optional;

/** What lies on a disk of the executor's machine instead of in memory. The bits are the same. */
public record OffloadConfig(
        @Doc(
                        value = "Where optimizer states, fp32 masters and moving averages lie: `memory`, or `disk` in"
                                + " files that the system reads and writes as they are used, and that are gone"
                                + " with the process.",
                        preset = "memory")
                Place optimizer,
        @Doc(
                        value = "Where the published weights lie that answers are sampled with, likewise. While they"
                                + " are sampled, a copy laid out for decoding is in memory all the same.",
                        preset = "memory")
                Place rollout,
        @Doc("Folder for them, on a disk and not in memory (`/tmp` may be). Spark's own local folder when absent.")
                Optional<String> folder) {

    /** Where something lies. */
    public enum Place {
        /** In memory. */
        MEMORY,
        /** On a disk of the machine. */
        DISK
    }

    /** Whether anything lies on disk. */
    public boolean onDisk() {
        return optimizer == Place.DISK || rollout == Place.DISK;
    }
}
