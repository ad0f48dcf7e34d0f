package io.rlhf4j.driver.data;

import io.rlhf4j.config.SourceConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The files that a source's path means: a file, all files below a folder, or those that fit a pattern. */
public final class SourceFiles {
    private SourceFiles() {}

    /** The files, sorted by path; none for a table, or where nothing is there. */
    public static List<FileStatus> of(SourceConfig source, Configuration hadoop) {
        Path pattern = new Path(source.path());
        List<FileStatus> files = new ArrayList<>();
        try {
            FileSystem system = pattern.getFileSystem(hadoop);
            FileStatus[] matches = system.globStatus(pattern);
            if (matches != null) {
                for (FileStatus match : matches) {
                    collect(system, match, files);
                }
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot list " + pattern, unreadable);
        }
        files.sort((first, second) -> first.getPath().compareTo(second.getPath()));
        return files;
    }

    private static void collect(FileSystem system, FileStatus status, List<FileStatus> files) throws IOException {
        if (status.isFile()) {
            files.add(status);
            return;
        }
        for (FileStatus child : system.listStatus(status.getPath())) {
            String name = child.getPath().getName();
            if (!name.startsWith("_") && !name.startsWith(".")) {
                collect(system, child, files);
            }
        }
    }
}
