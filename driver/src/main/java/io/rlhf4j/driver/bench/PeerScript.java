package io.rlhf4j.driver.bench;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A script that measures another system and prints a line of JSON with the fields of {@link Measurement}.
 *
 * @param file its name in the folder of {@link Peers}
 * @param arguments what it is started with
 * @param phases of our measurement that do what its step does; empty for the whole step
 * @param python that has its packages; empty for that of all scripts
 */
public record PeerScript(String file, List<String> arguments, List<String> phases, Optional<String> python) {
    public PeerScript {
        arguments = List.copyOf(arguments);
        phases = List.copyOf(phases);
    }

    /** A script with its arguments, which are written one after the other. */
    public static PeerScript of(String file, Object... arguments) {
        return new PeerScript(
                file, List.of(arguments).stream().map(String::valueOf).toList(), List.of(), Optional.empty());
    }

    /** This script with more arguments. */
    public PeerScript with(Object... more) {
        List<String> all = Stream.concat(
                        arguments.stream(), List.of(more).stream().map(String::valueOf))
                .toList();
        return new PeerScript(file, all, phases, python);
    }

    /** This script, which measures less than we do. */
    PeerScript comparedWith(List<String> ownPhases) {
        return new PeerScript(file, arguments, ownPhases, python);
    }

    /** This script, run by another Python. */
    PeerScript runBy(String command) {
        return new PeerScript(file, arguments, phases, Optional.of(command));
    }

    @Override
    public String toString() {
        return file + " " + String.join(" ", arguments);
    }
}
