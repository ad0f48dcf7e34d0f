package io.rlhf4j.driver.command;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Ctrl-C and the TERM of a scheduler. The first asks whatever runs to stop, so that it ends in order and says how to go on;
 * the second, or a stop that takes too long, ends the process at once. Neither harms what is committed.
 */
final class Interrupts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Interrupts.class);
    private static final List<String> SIGNALS = List.of("INT", "TERM");
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Terminal terminal;
    private final Thread main = Thread.currentThread();
    private final Deque<Runnable> stops = new ArrayDeque<>();
    private final List<SignalHandler> before;
    private Thread watch;
    private boolean requested;

    private Interrupts(Terminal terminal) {
        this.terminal = terminal;
        this.before = SIGNALS.stream()
                .map(name -> Signal.handle(new Signal(name), signal -> stop()))
                .toList();
    }

    /** Takes the signals over until {@link #close}. */
    static Interrupts handle(Terminal terminal) {
        return new Interrupts(terminal);
    }

    /** What stops the work at hand; called once, by another thread. The latest is asked first. */
    synchronized void onStop(Runnable stop) {
        stops.push(stop);
    }

    /** Whether somebody asked to stop. */
    synchronized boolean requested() {
        return requested;
    }

    /** Ends the work at hand where somebody asked to stop. */
    void check() {
        if (requested()) {
            throw new Rlhf4jException(ErrorKind.INTERRUPTED, "on request");
        }
    }

    /** Asks to stop, as a signal does. */
    void stop() {
        Runnable first;
        synchronized (this) {
            if (requested) {
                terminal.err().println("stopped at once");
                Runtime.getRuntime().halt(ErrorKind.INTERRUPTED.exitCode());
            }
            requested = true;
            first = stops.peek();
        }
        terminal.err().println();
        terminal.err().println("stopping (Ctrl-C again stops at once) ...");
        watch();
        if (first == null) {
            main.interrupt();
            return;
        }
        try {
            first.run();
        } catch (RuntimeException e) {
            // The work goes on or has ended by itself; the watch ends the process if it does not.
            LOG.warn("stopping failed", e);
        }
    }

    private synchronized void watch() {
        watch = new Thread(this::haltWhenLate, "interrupt-watch");
        watch.setDaemon(true);
        watch.start();
    }

    private void haltWhenLate() {
        try {
            Thread.sleep(PATIENCE.toMillis());
        } catch (InterruptedException e) {
            return;
        }
        terminal.err().println("did not stop within %d s: stopped at once".formatted(PATIENCE.toSeconds()));
        Runtime.getRuntime().halt(ErrorKind.INTERRUPTED.exitCode());
    }

    @Override
    public synchronized void close() {
        if (watch != null) {
            watch.interrupt();
        }
        for (int i = 0; i < SIGNALS.size(); i++) {
            Signal.handle(new Signal(SIGNALS.get(i)), before.get(i));
        }
    }
}
