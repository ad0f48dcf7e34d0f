package io.rlhf4j.driver.command;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.hadoop.fs.FileSystem;
import org.apache.logging.log4j.core.config.Configurator;

/**
 * The file that takes what Spark and we log, so that the terminal shows results only. It is in the run's folder where that
 * is local, else in the temporary folder.
 */
final class LogFile {
    /** Read by {@code log4j2.properties}. */
    private static final String PROPERTY = "rlhf4j.log";

    private LogFile() {}

    /** The file in use, if anything has been logged. */
    static Optional<Path> current() {
        return Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of).filter(Files::exists);
    }

    /** Names the file before anything logs; keeps a name that was given from outside. */
    static void prepare() {
        if (System.getProperty(PROPERTY) == null) {
            Path file = Path.of(
                    System.getProperty("java.io.tmpdir"),
                    "rlhf4j-%s".formatted(System.getProperty("user.name")),
                    "driver-%d.log".formatted(ProcessHandle.current().pid()));
            System.setProperty(PROPERTY, file.toString());
        }
    }

    /** Goes on in the folder of a run, where that is on a local disk. */
    static void moveTo(org.apache.hadoop.fs.Path runFolder, FileSystem system) {
        if (system.getScheme().equals("file")) {
            Path folder = Path.of(system.makeQualified(runFolder).toUri());
            System.setProperty(PROPERTY, folder.resolve("driver.log").toString());
            Configurator.reconfigure();
        }
    }
}
