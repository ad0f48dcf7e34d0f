package io.rlhf4j.config.binding;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A range of numbers as mathematicians write it: {@code [0, 1)}, {@code (0, inf)}.
 *
 * @param text how it is written
 * @param low lower bound
 * @param lowIncluded whether the lower bound belongs to the range
 * @param high upper bound
 * @param highIncluded whether the upper bound belongs to the range
 */
record Interval(String text, double low, boolean lowIncluded, double high, boolean highIncluded) {
    private static final Pattern FORM = Pattern.compile("([\\[(])\\s*(\\S+)\\s*,\\s*(\\S+?)\\s*([])])");

    static Interval parse(String text) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("no interval: " + text);
        }
        return new Interval(
                text,
                bound(parts.group(2)),
                parts.group(1).equals("["),
                bound(parts.group(3)),
                parts.group(4).equals("]"));
    }

    private static double bound(String text) {
        return switch (text) {
            case "inf" -> Double.POSITIVE_INFINITY;
            case "-inf" -> Double.NEGATIVE_INFINITY;
            default -> Double.parseDouble(text);
        };
    }

    boolean contains(double value) {
        return (lowIncluded ? value >= low : value > low) && (highIncluded ? value <= high : value < high);
    }
}
