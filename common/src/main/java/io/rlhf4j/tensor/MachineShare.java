package io.rlhf4j.tensor;

import java.util.Optional;

/**
 * What of the machine a backend may use.
 *
 * @param threads that one call may use
 * @param gpu the address of the one GPU that the cluster's manager gave (a number or a UUID, as its discovery script prints
 *     it); empty where none was given. A backend that computes elsewhere has no use for it.
 */
public record MachineShare(int threads, Optional<String> gpu) {
    /** So many threads, and no GPU. */
    public static MachineShare ofThreads(int threads) {
        return new MachineShare(threads, Optional.empty());
    }
}
