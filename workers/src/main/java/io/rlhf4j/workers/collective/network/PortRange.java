package io.rlhf4j.workers.collective.network;

/**
 * Ports that a rank may listen on: the first free one is taken. A firewall wants to know them.
 *
 * @param first 0, with {@code last} 0, is any free port
 */
public record PortRange(int first, int last) {
    /** Whatever the system gives. */
    public static final PortRange ANY = new PortRange(0, 0);

    /** A range that is not empty. */
    public PortRange {
        if (first < 0 || last < first || last > 65_535) {
            throw new IllegalArgumentException("ports %d to %d".formatted(first, last));
        }
    }

    @Override
    public String toString() {
        return equals(ANY) ? "any port" : "ports %d to %d".formatted(first, last);
    }
}
