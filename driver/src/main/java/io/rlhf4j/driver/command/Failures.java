package io.rlhf4j.driver.command;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what a command threw into one message and an exit code. The stack goes to the log only: a user can mend what the
 * message says, a developer reads the log.
 */
final class Failures {
    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

    private Failures() {}

    /** The failure as one of ours; a failure of ours wrapped by Spark or an executor is found in the chain of causes. */
    static Rlhf4jException asOurs(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof Rlhf4jException ours) {
                return ours;
            }
        }
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            Optional<Rlhf4jException> known = known(cause, thrown);
            if (known.isPresent()) {
                return known.get();
            }
        }
        return new Rlhf4jException(
                ErrorKind.RETRYABLE,
                "unexpected %s: %s; this may be a fault of rlhf4j itself: the log has the details"
                        .formatted(root(thrown).getClass().getSimpleName(), firstLine(root(thrown))),
                thrown);
    }

    private static Optional<Rlhf4jException> known(Throwable cause, Throwable thrown) {
        if (cause instanceof InterruptedException) {
            return Optional.of(new Rlhf4jException(ErrorKind.INTERRUPTED, "interrupted", thrown));
        }
        if (cause instanceof OutOfMemoryError) {
            return Optional.of(new Rlhf4jException(
                    ErrorKind.CLUSTER,
                    "out of memory (%s): `rlhf4j plan` says what is needed; use a smaller compute.micro_batch_tokens, a"
                                    .formatted(cause.getMessage())
                            + " smaller model or compute.dtype bf16, or give more memory by RLHF4J_HEAP and"
                            + " RLHF4J_MEMORY",
                    thrown));
        }
        String message = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
        if (cause instanceof IOException && (message.contains("no space left") || message.contains("quota"))) {
            return Optional.of(new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "no space left: %s; make room and run the same command again, it goes on from the last checkpoint"
                            .formatted(cause.getMessage()),
                    thrown));
        }
        return Optional.empty();
    }

    /** Prints the message and gives the exit code. */
    static int report(Throwable thrown, Terminal terminal) {
        Rlhf4jException failure = asOurs(thrown);
        LOG.error("the command failed: {}", failure.getMessage(), thrown);
        if (failure.kind() == ErrorKind.INTERRUPTED) {
            terminal.err().println("stopped: " + failure.getMessage());
        } else {
            terminal.err().println("error: " + failure.getMessage());
            LogFile.current().ifPresent(file -> terminal.err().println("  details: " + file));
        }
        return failure.kind().exitCode();
    }

    private static Throwable root(Throwable thrown) {
        Throwable root = thrown;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    private static String firstLine(Throwable thrown) {
        return String.valueOf(thrown.getMessage()).lines().findFirst().orElse("");
    }
}
