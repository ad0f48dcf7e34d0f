package io.rlhf4j.tensor;

import java.util.Optional;

/** Finds out whether a backend can run in this JVM, and makes it. Registered with {@link java.util.ServiceLoader}. */
public interface BackendProvider {
    /** The name by which a configuration asks for the backend. */
    String name();

    /** Which of the usable backends is taken when none is named: the highest. */
    int priority();

    /** Why the backend cannot run here (a module, a library, a chip), in one sentence; empty when it can. */
    Optional<String> unusableBecause();

    /**
     * Whether a user of this machine would look for the backend: not where its kind of device is missing altogether. Then
     * nobody is told that it is not used.
     */
    default boolean isExpected() {
        return true;
    }

    /**
     * What running on this backend, on this machine, costs beside the best there is, in one clause; empty when nothing.
     * Asked only where {@link #unusableBecause} is empty.
     */
    default Optional<String> drawback() {
        return Optional.empty();
    }

    /**
     * The backend.
     *
     * @param share what it may use of the machine: its threads, and its device where it needs one
     */
    Backend create(MachineShare share);
}
