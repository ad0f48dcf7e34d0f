package io.rlhf4j.sampling;

import java.nio.charset.StandardCharsets;

/**
 * Random numbers by counter: number i of a stream is a hash of the stream's key and i, so that it is the same wherever,
 * whenever and however often it is drawn. Keys are made from what the numbers are for (run seed, iteration, prompt, sample),
 * never from a rank, a partition or an attempt.
 *
 * <p>The hash is SplitMix64's (Steele, Lea and Flood 2014).
 */
public record RandomStream(long key) {
    private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L;

    /** The stream of a run. */
    public static RandomStream of(long seed) {
        return new RandomStream(mix(seed + GOLDEN_RATIO));
    }

    /** The part of this stream that belongs to {@code index}. */
    public RandomStream at(long index) {
        return new RandomStream(mix(key ^ mix(index + GOLDEN_RATIO)));
    }

    /** The part of this stream that belongs to {@code name}. */
    public RandomStream at(String name) {
        long hash = 0xCBF29CE484222325L;
        for (byte value : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (value & 0xFF)) * 0x100000001B3L;
        }
        return at(hash);
    }

    /** Number {@code index} of this stream: 64 random bits. */
    public long bits(long index) {
        return mix(key + GOLDEN_RATIO * (index + 1));
    }

    /** Number {@code index} of this stream, uniform in [0, 1). */
    public double uniform(long index) {
        return (bits(index) >>> 11) * 0x1.0p-53;
    }

    /** Number {@code index} of this stream, uniform in 0 .. bound - 1. */
    public int below(int bound, long index) {
        return (int) (uniform(index) * bound);
    }

    private static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
