package io.rlhf4j.deploy.cluster;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The JVM of an executor, and what its log says that it is at. Linux only: what a process is called and where it works is
 * read from {@code /proc}.
 */
final class ExecutorProcess {
    private static final String MAIN = "org.apache.spark.executor.CoarseGrainedExecutorBackend";
    private static final Pattern PHASE =
            Pattern.compile("WorkPhase: phase ([a-z]+): (.*)|RankWriter: checkpoint written: .*");

    private static final String CHECKPOINT = "checkpoint";
    private static final Duration END = Duration.ofSeconds(30);

    private final ProcessHandle process;
    private final Path folder;
    private long read;
    private String halfLine = "";
    private Phase phase = new Phase("starting", "");
    /** A checkpoint may be written beside the next phase. */
    private Optional<Phase> writing = Optional.empty();

    /**
     * What an executor is at.
     *
     * @param name of the phase; {@code starting} where it has said none yet
     * @param of what of
     */
    record Phase(String name, String of) {}

    private ExecutorProcess(ProcessHandle process, Path folder) {
        this.process = process;
        this.folder = folder;
    }

    /** The executor that the process is, if it is one. */
    static Optional<ExecutorProcess> of(ProcessHandle process) {
        Path about = Path.of("/proc", Long.toString(process.pid()));
        try {
            String command = Files.readString(about.resolve("cmdline"), StandardCharsets.ISO_8859_1);
            if (!command.contains(MAIN)) {
                return Optional.empty();
            }
            // The worker lets it work in a folder <application>/<number>, where its log lies too.
            return Optional.of(new ExecutorProcess(process, Files.readSymbolicLink(about.resolve("cwd"))));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    long pid() {
        return process.pid();
    }

    /** The application that it works for. */
    String application() {
        return folder.getParent().getFileName().toString();
    }

    /** Its number within the application. */
    String number() {
        return folder.getFileName().toString();
    }

    /** What it is at, or was when it ended: the writing of a checkpoint before all else. */
    synchronized Phase phase() {
        readLog();
        return writing.orElse(phase);
    }

    private void readLog() {
        Path log = folder.resolve("stderr");
        if (!Files.exists(log)) {
            return;
        }
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            byte[] more = new byte[Math.toIntExact(file.length() - read)];
            file.seek(read);
            file.readFully(more);
            read += more.length;
            String text = halfLine + new String(more, StandardCharsets.ISO_8859_1);
            int end = text.lastIndexOf('\n') + 1;
            halfLine = text.substring(end);
            Matcher lines = PHASE.matcher(text.substring(0, end));
            while (lines.find()) {
                begins(lines);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private void begins(Matcher line) {
        if (line.group(1) == null) {
            writing = Optional.empty();
        } else {
            phase = new Phase(line.group(1), line.group(2));
            if (phase.name().equals(CHECKPOINT)) {
                writing = Optional.of(phase);
            }
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Sends it a signal by name: {@code STOP}, {@code CONT}. */
    void signal(String name) throws IOException, InterruptedException {
        Jvm.signal(pid(), name);
    }

    /** Ends it as a machine ends that loses power. */
    void kill() throws Exception {
        process.destroyForcibly();
        process.onExit().get(END.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Writes the classes that it has loaded to a file; its JVM needs {@code -XX:+RecordDynamicDumpInfo}. */
    void archiveClasses(Path file) throws IOException, InterruptedException {
        String tool = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Process archiving = new ProcessBuilder(tool, Long.toString(pid()), "VM.cds", "dynamic_dump", file.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(archiving.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (archiving.waitFor() != 0 || !Files.exists(file)) {
            throw new AssertionError("no archive of %s: %s".formatted(this, said));
        }
    }

    @Override
    public String toString() {
        return "executor %s of %s".formatted(number(), application());
    }
}
