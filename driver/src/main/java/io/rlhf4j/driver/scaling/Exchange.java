package io.rlhf4j.driver.scaling;

/**
 * What ranks exchange, as the engine does it: each rank sends its part to every other rank at once, so that an operation on n
 * bytes takes {@code n (N-1)/N / W + (N-1) m} seconds of a rank whose network carries W bytes a second and that spends m
 * seconds on a message.
 *
 * @param ranks N
 * @param bytesPerSecond W, in each direction, of one rank
 * @param messageSeconds m
 */
public record Exchange(int ranks, double bytesPerSecond, double messageSeconds) {
    /** Bytes that a rank sends in a reduce-scatter or an all-gather of so many. */
    double sent(double bytes) {
        return bytes * (ranks - 1) / ranks;
    }

    /** Seconds of a reduce-scatter or an all-gather of so many bytes. */
    double seconds(double bytes) {
        return sent(bytes) / bytesPerSecond + (ranks - 1) * messageSeconds;
    }
}
