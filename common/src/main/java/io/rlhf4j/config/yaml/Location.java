package io.rlhf4j.config.yaml;

/**
 * Where a value was written.
 *
 * @param source name of the file, or the option of the command line
 * @param line line in the file, from 1; 0 where the source has no lines
 * @param column column in the line, from 1
 */
public record Location(String source, int line, int column) {
    /** The place of something that has no lines: an option, a preset. */
    public static Location of(String source) {
        return new Location(source, 0, 0);
    }

    @Override
    public String toString() {
        return line == 0 ? source : source + ":" + line + ":" + column;
    }
}
