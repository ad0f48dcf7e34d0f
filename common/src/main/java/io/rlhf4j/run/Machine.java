package io.rlhf4j.run;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.tensor.Backends;
import java.util.Collection;
import java.util.TreeSet;

/**
 * What ranks compute with, as far as the bits depend on it.
 *
 * @param backend name of the backend
 * @param processor architecture and vector extensions
 */
public record Machine(String backend, String processor) {
    /** The one that this JVM runs on. */
    public static Machine here(RunConfig config) {
        return new Machine(Backends.onClassPath().resolve(config.compute().backend()), Processor.features());
    }

    /** All of {@code machines}: where they differ, so does what is said of them. */
    public static Machine of(Collection<Machine> machines) {
        return new Machine(
                String.join(
                        " / ",
                        new TreeSet<>(machines.stream().map(Machine::backend).toList())),
                String.join(
                        " / ",
                        new TreeSet<>(machines.stream().map(Machine::processor).toList())));
    }

    /** As a line of text. */
    public String format() {
        return backend + "|" + processor;
    }

    /** Reads {@link #format()}. */
    public static Machine parse(String line) {
        String[] parts = line.split("\\|", 2);
        return new Machine(parts[0], parts[1]);
    }
}
