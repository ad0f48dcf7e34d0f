package io.rlhf4j.workers.collective;

import java.util.List;
import java.util.TreeMap;

/**
 * What the operations of one rank have sent, received and taken, by operation. Bytes are those given to the network or to
 * NCCL: none within a JVM, and without the few that connections spend on credit and farewells.
 */
public final class CollectiveMetrics {
    private final TreeMap<String, OfOperation> operations = new TreeMap<>();

    /**
     * Sums over all calls of one operation that went well.
     *
     * @param operation its name, as of the method
     * @param seconds from the beginning of a call to its end, waiting for slower ranks included; of calls that overlap, each
     * @param longestSeconds of one call, or of one part of it where the ranks agree first and move then
     */
    public record OfOperation(
            String operation, long calls, long sentBytes, long receivedBytes, double seconds, double longestSeconds) {
        private OfOperation plus(OfOperation other) {
            return new OfOperation(
                    operation,
                    calls + other.calls,
                    sentBytes + other.sentBytes,
                    receivedBytes + other.receivedBytes,
                    seconds + other.seconds,
                    Math.max(longestSeconds, other.longestSeconds));
        }
    }

    /**
     * Counts a call.
     *
     * @param operation in the words of {@link Operations}, which begin with its name
     */
    public void add(String operation, long sentBytes, long receivedBytes, long nanoseconds) {
        add(1, operation, sentBytes, receivedBytes, nanoseconds);
    }

    /** Adds what a call that was counted when the ranks agreed on it has moved since; the time is that of the moving. */
    public void addMoved(String operation, long sentBytes, long receivedBytes, long nanoseconds) {
        add(0, operation, sentBytes, receivedBytes, nanoseconds);
    }

    private synchronized void add(long calls, String operation, long sentBytes, long receivedBytes, long nanoseconds) {
        String name = operation.split(" ", 2)[0];
        double seconds = nanoseconds * 1e-9;
        operations.merge(
                name, new OfOperation(name, calls, sentBytes, receivedBytes, seconds, seconds), OfOperation::plus);
    }

    /** The sums so far, by name. */
    public synchronized List<OfOperation> operations() {
        return List.copyOf(operations.values());
    }

    /** Bytes sent by all operations. */
    public synchronized long sentBytes() {
        return operations.values().stream().mapToLong(OfOperation::sentBytes).sum();
    }
}
