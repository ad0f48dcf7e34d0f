package io.rlhf4j.driver;

import io.rlhf4j.driver.command.CommandLineTool;

/** Where the program begins: {@code rlhf4j <command>}. */
public final class Main {
    private Main() {}

    /** Runs the command and ends the process with its exit code. */
    public static void main(String... arguments) {
        int exitCode = CommandLineTool.runProcess(arguments);
        // Not a return: threads of libraries must not keep a finished run alive.
        System.exit(exitCode);
    }
}
