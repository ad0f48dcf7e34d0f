package io.rlhf4j.driver.command;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command reads and prints.
 *
 * @param in what the user types
 * @param out results
 * @param err progress and messages
 * @param interactive whether a person watches {@code err}: then there are bars, else lines
 */
public record Terminal(BufferedReader in, PrintStream out, PrintStream err, boolean interactive) {
    /** Set by the launch script, because Java cannot tell in all versions whether a stream is a terminal. */
    private static final String PROPERTY = "rlhf4j.terminal";

    /** The process's own streams, in UTF-8. */
    public static Terminal ofProcess() {
        return of(System.in, System.out, System.err, Boolean.getBoolean(PROPERTY));
    }

    /** Streams of bytes, as UTF-8. */
    public static Terminal of(InputStream in, PrintStream out, PrintStream err, boolean interactive) {
        return new Terminal(
                new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                interactive);
    }
}
