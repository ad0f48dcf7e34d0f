package io.rlhf4j.driver.scaling;

/**
 * The constants of a cluster. What was measured and what is assumed stands in docs/scaling.md.
 *
 * @param flopsPerSecond of a rank in a training step
 * @param memoryBytes of a rank's GPU
 * @param memoryBytesPerSecond at which it reads them
 * @param decodingShare of that rate which decoding reaches
 * @param networkBytesPerSecond of a rank, in each direction
 * @param messageSeconds that a rank spends on a message
 * @param copyBytesPerSecond from a rank's GPU to its host's memory
 * @param filesBytesPerSecond that one rank reads or writes of the file system
 * @param secondsBetweenFailures of one GPU and what it needs
 * @param noticeSeconds until a failure is noticed, the group is formed anew and processes have started
 */
public record Cluster(
        double flopsPerSecond,
        double memoryBytes,
        double memoryBytesPerSecond,
        double decodingShare,
        double networkBytesPerSecond,
        double messageSeconds,
        double copyBytesPerSecond,
        double filesBytesPerSecond,
        double secondsBetweenFailures,
        double noticeSeconds) {
    private static final double HOUR = 3600;

    /** H100 SXM: what rlhf4j reached on one (docs/results.md), and assumptions where there was only one. */
    public static final Cluster H100 =
            new Cluster(454e12, 80e9, 2.986e12, 0.5, 50e9, 10e-6, 25e9, 2e9, 50_000 * HOUR, 60);

    Exchange exchange(int ranks) {
        return new Exchange(ranks, networkBytesPerSecond, messageSeconds);
    }
}
