package io.rlhf4j.run.lease;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.run.RunJson;
import io.rlhf4j.run.SmallFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;

/**
 * The folder {@code lease} of a run: a file for each epoch, made by the one who takes it. The highest number counts; older
 * files are removed by its owner, and one that an old owner writes again changes nothing.
 */
final class LeaseFiles {
    private static final String PREFIX = "epoch-";

    private final Path folder;
    private final Configuration hadoop;
    private final SmallFiles files;

    LeaseFiles(Path folder, Configuration hadoop) {
        this.folder = folder;
        this.hadoop = hadoop;
        this.files = new SmallFiles(hadoop);
    }

    /** The highest epoch that was taken; 0 for none. */
    long newest() throws IOException {
        return epochs().stream().mapToLong(Long::longValue).max().orElse(0);
    }

    /** What stands in the file of an epoch; empty where there is none, or its owner is just about to write it. */
    Optional<LeaseRecord> read(long epoch) throws IOException {
        return files.read(path(epoch)).filter(text -> !text.isBlank()).flatMap(text -> parse(epoch, text));
    }

    /** A file that is read while it is written may end in the middle. */
    private Optional<LeaseRecord> parse(long epoch, String text) {
        try {
            return Optional.of(RunJson.read(text, LeaseRecord.class, path(epoch)));
        } catch (Rlhf4jException unfinished) {
            return Optional.empty();
        }
    }

    /**
     * Takes an epoch that nobody has; false where somebody has it.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where no file can be made: it is the first that a start writes
     */
    boolean claim(LeaseRecord record) throws IOException {
        try {
            return files.claim(path(record.epoch()), RunJson.write(record));
        } catch (FileSystemException | AccessControlException | ParentNotDirectoryException refused) {
            if (String.valueOf(refused.getMessage()).contains("No space left")) {
                throw refused;
            }
            throw new Rlhf4jException(
                    ErrorKind.CONFIGURATION,
                    "%s: the run's folder cannot be made or written: %s; name a place where you may write (the key"
                                    .formatted(folder.getParent(), refused.getMessage())
                            + " `folder`, of the quickstart --folder)",
                    refused);
        }
    }

    /** Writes the record of an epoch again. */
    void write(LeaseRecord record) {
        files.write(path(record.epoch()), RunJson.write(record));
    }

    /** Removes the files of older epochs. */
    void removeBelow(long epoch) throws IOException {
        FileSystem system = PlainFiles.fileSystem(folder, hadoop);
        for (long old : epochs()) {
            if (old < epoch) {
                system.delete(path(old), false);
            }
        }
    }

    private List<Long> epochs() throws IOException {
        List<Long> epochs = new ArrayList<>();
        try {
            for (FileStatus status : PlainFiles.fileSystem(folder, hadoop).listStatus(folder)) {
                epoch(status.getPath().getName()).ifPresent(epochs::add);
            }
        } catch (FileNotFoundException none) {
            return List.of();
        }
        return epochs;
    }

    private static OptionalLong epoch(String name) {
        return name.matches(PREFIX + "\\d{8,18}")
                ? OptionalLong.of(Long.parseLong(name.substring(PREFIX.length())))
                : OptionalLong.empty();
    }

    private Path path(long epoch) {
        return new Path(folder, PREFIX + String.format(Locale.ROOT, "%08d", epoch));
    }
}
