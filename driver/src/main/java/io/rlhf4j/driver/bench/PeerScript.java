package io.rlhf4j.driver.bench;

import java.util.List;
import java.util.stream.Stream;

/**
 * A script that measures another system and prints a line of JSON with the fields of {@link Measurement}.
 *
 * @param file its name in the folder of {@link Peers}
 * @param arguments what it is started with
 */
public record PeerScript(String file, List<String> arguments) {
    public PeerScript {
        arguments = List.copyOf(arguments);
    }

    /** A script with its arguments, which are written one after the other. */
    public static PeerScript of(String file, Object... arguments) {
        return new PeerScript(
                file, List.of(arguments).stream().map(String::valueOf).toList());
    }

    /** This script with more arguments. */
    public PeerScript with(Object... more) {
        return new PeerScript(
                file,
                Stream.concat(arguments.stream(), List.of(more).stream().map(String::valueOf))
                        .toList());
    }

    @Override
    public String toString() {
        return file + " " + String.join(" ", arguments);
    }
}
