package io.rlhf4j.driver.report;

import java.util.Locale;

/** Numbers for people. */
public final class Numbers {
    private Numbers() {}

    /** Four digits that count. */
    public static String text(double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e7) {
            return Long.toString(Math.round(value));
        }
        boolean plain = Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6;
        return String.format(Locale.ROOT, plain ? (Math.abs(value) >= 100 ? "%.1f" : "%.4f") : "%.3e", value);
    }
}
