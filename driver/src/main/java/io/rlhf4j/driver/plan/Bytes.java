package io.rlhf4j.driver.plan;

import java.util.Locale;

/** Numbers of bytes, for people. */
public final class Bytes {
    private Bytes() {}

    /** In MiB or GiB; a dash for none. */
    public static String text(long bytes) {
        if (bytes == 0) {
            return "-";
        }
        double mebibytes = bytes / (1024.0 * 1024.0);
        return mebibytes < 1000
                ? String.format(Locale.ROOT, "%.1f MiB", mebibytes)
                : String.format(Locale.ROOT, "%.2f GiB", mebibytes / 1024);
    }
}
