package io.rlhf4j.driver.command;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes what libraries print to the process's error stream, line by line, into the log: the pools of Spark print stacks
 * there when they are stopped in the middle of a task, and the terminal is for what the user has to know.
 */
final class LoggedErrors extends OutputStream {
    private static final Logger LOG = LoggerFactory.getLogger(LoggedErrors.class);

    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    private final PrintStream before;
    private boolean logging;

    private LoggedErrors(PrintStream before) {
        this.before = before;
    }

    /** From now on. Whoever took the stream before keeps it. */
    static void begin() {
        System.setErr(new PrintStream(new LoggedErrors(System.err), true, StandardCharsets.UTF_8));
    }

    @Override
    public synchronized void write(int next) {
        if (logging) {
            // The log itself complains, for instance of a full disk.
            before.write(next);
        } else if (next == '\n') {
            log();
        } else {
            line.write(next);
        }
    }

    private void log() {
        logging = true;
        try {
            LOG.warn("stderr: {}", line.toString(StandardCharsets.UTF_8).stripTrailing());
        } finally {
            logging = false;
            line.reset();
        }
    }
}
