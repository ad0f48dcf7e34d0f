package io.rlhf4j.deploy.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A process whose output goes to a file. */
final class Jvm implements AutoCloseable {
    private final Process process;
    private final Path log;

    private Jvm(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** Starts it. */
    static Jvm start(Path folder, Path log, Map<String, String> environment, List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment);
        return new Jvm(builder.start(), log);
    }

    /** What it has printed so far. */
    String text() throws IOException {
        return Files.readString(log);
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** The processes that it has started, and theirs. */
    Stream<ProcessHandle> descendants() {
        return process.descendants();
    }

    /** Sends it a signal by name: {@code KILL}, {@code STOP}, {@code CONT}. */
    void signal(String name) throws IOException, InterruptedException {
        signal(pid(), name);
    }

    /** Sends a signal to a process. */
    static void signal(long process, String name) throws IOException, InterruptedException {
        if (new ProcessBuilder("kill", "-" + name, Long.toString(process))
                        .start()
                        .waitFor()
                != 0) {
            throw new IOException("no signal %s for process %d".formatted(name, process));
        }
    }

    /**
     * Waits until it has printed something.
     *
     * @return the first group of {@code pattern}
     */
    String await(Pattern pattern, Duration limit) throws IOException, InterruptedException {
        Instant end = Instant.now().plus(limit);
        while (Instant.now().isBefore(end)) {
            Matcher found = pattern.matcher(text());
            if (found.find()) {
                return found.group(1);
            }
            if (process.waitFor(100, TimeUnit.MILLISECONDS)) {
                throw new AssertionError(
                        "it ended with %d before it printed '%s':%n%s".formatted(process.exitValue(), pattern, text()));
            }
        }
        throw new AssertionError("it did not print '%s' within %s:%n%s".formatted(pattern, limit, text()));
    }

    /** Waits for its end. */
    int exitCode(Duration limit) throws IOException, InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("it did not end within %s:%n%s".formatted(limit, text()));
        }
        return process.exitValue();
    }

    /** Ends it and whatever it started, at once. */
    @Override
    public void close() {
        List<ProcessHandle> all = descendants().toList();
        process.destroyForcibly();
        all.forEach(ProcessHandle::destroyForcibly);
        process.onExit().join();
    }
}
