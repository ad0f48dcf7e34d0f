package io.rlhf4j.driver.bench;

/**
 * The generator of random numbers that Python and PyTorch draw from (Matsumoto and Nishimura 1998, MT19937): workloads of
 * random lengths are then the same ones here and in the scripts of other systems.
 */
final class MersenneTwister {
    private static final int SIZE = 624;
    private static final int SHIFT = 397;

    private final int[] state = new int[SIZE];
    private int next = SIZE;

    private MersenneTwister(int seed) {
        state[0] = seed;
        for (int i = 1; i < SIZE; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
        }
    }

    /** The numbers of {@code torch.Generator().manual_seed(seed)}. */
    static MersenneTwister ofTorch(int seed) {
        return new MersenneTwister(seed);
    }

    /** The numbers of {@code random.Random(seed)}: a seed is there an array of one word. */
    static MersenneTwister ofPython(int seed) {
        MersenneTwister numbers = new MersenneTwister(19650218);
        int[] state = numbers.state;
        int at = 1;
        for (int i = 0; i < SIZE; i++) {
            state[at] = (state[at] ^ ((state[at - 1] ^ (state[at - 1] >>> 30)) * 1664525)) + seed;
            at = after(at, state);
        }
        for (int i = 1; i < SIZE; i++) {
            state[at] = (state[at] ^ ((state[at - 1] ^ (state[at - 1] >>> 30)) * 1566083941)) - at;
            at = after(at, state);
        }
        state[0] = 0x80000000;
        return numbers;
    }

    private static int after(int at, int... state) {
        if (at < SIZE - 1) {
            return at + 1;
        }
        state[0] = state[SIZE - 1];
        return 1;
    }

    /** The next 32 random bits. */
    int bits() {
        if (next == SIZE) {
            twist();
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >>> 18);
    }

    private void twist() {
        for (int i = 0; i < SIZE; i++) {
            int y = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
            state[i] = state[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
        next = 0;
    }
}
