package io.rlhf4j.driver;

import io.rlhf4j.driver.command.CommandLineTool;

/** Where the program begins: {@code rlhf4j <command>}. */
public final class Main {
    /** The machine or cluster cannot run this. A number, because the class that names it may be missing too. */
    private static final int CLUSTER = 4;

    private Main() {}

    /** Runs the command and ends the process with its exit code. */
    public static void main(String... arguments) {
        // Not a return: threads of libraries must not keep a finished run alive.
        System.exit(exitCode(arguments));
    }

    private static int exitCode(String... arguments) {
        try {
            return CommandLineTool.runProcess(arguments);
        } catch (NoClassDefFoundError missing) {
            missing.printStackTrace();
            System.err.println(
                    "error: a library is missing (%s); they lie beside the driver's jar, but in cluster deploy"
                                    .formatted(missing.getMessage())
                            + " mode Spark takes only those that --jars names: `rlhf4j --submit` names them all");
            return CLUSTER;
        }
    }
}
