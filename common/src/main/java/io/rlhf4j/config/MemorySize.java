package io.rlhf4j.config;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An amount of memory, written as Java's options write it: {@code 512m}, {@code 12g}. */
public final class MemorySize {
    private static final Pattern TEXT = Pattern.compile("(\\d{1,15})([kmgt]?)");
    private static final List<String> UNITS = List.of("", "k", "m", "g", "t");

    private final long bytes;

    private MemorySize(long bytes) {
        this.bytes = bytes;
    }

    /** The amount that a text stands for; empty where it stands for none. */
    public static Optional<MemorySize> parse(String text) {
        Matcher parts = TEXT.matcher(text.toLowerCase(Locale.ROOT));
        if (!parts.matches()) {
            return Optional.empty();
        }
        long number = Long.parseLong(parts.group(1));
        int shift = 10 * UNITS.indexOf(parts.group(2));
        return number > Long.MAX_VALUE >> shift ? Optional.empty() : Optional.of(new MemorySize(number << shift));
    }

    /** How many bytes it is. */
    public long bytes() {
        return bytes;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MemorySize size && size.bytes == bytes;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(bytes);
    }

    /** In the largest unit that leaves a whole number. */
    @Override
    public String toString() {
        int unit = 0;
        long number = bytes;
        while (number > 0 && number % 1024 == 0 && unit < UNITS.size() - 1) {
            number /= 1024;
            unit++;
        }
        return number + UNITS.get(unit);
    }
}
