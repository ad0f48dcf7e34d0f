package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.Bfloat16;

/** Runs of numbers between fp32 and bf16. */
final class Conversion {
    private Conversion() {}

    /** fp32 from bf16. */
    static void widen(Object source, long from, Object target, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(Lanes.loadBf16(source, from + 2L * i), target, to + 4L * i);
        }
        for (; i < count; i++) {
            Lanes.set(target, to + 4L * i, Lanes.getBf16(source, from + 2L * i));
        }
    }

    /** bf16 from fp32. */
    static void narrow(Object source, long from, Object target, long to, int count) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.storeBf16(Lanes.load(source, from + 4L * i), target, to + 2L * i);
        }
        for (; i < count; i++) {
            Lanes.setBf16(target, to + 2L * i, Lanes.get(source, from + 4L * i));
        }
    }

    /** bf16 from bf16: bits, two numbers in a word. */
    static void copyBf16(Object source, long from, Object target, long to, int count) {
        int words = count / 2;
        Lanes.copy(source, from, target, to, words);
        if (count % 2 != 0) {
            Lanes.setBf16(target, to + 4L * words, Lanes.getBf16(source, from + 4L * words));
        }
    }

    /** Sets bf16, two numbers at a time. */
    static void fillBf16(Object target, long to, int count, float value) {
        int bits = Bfloat16.narrow(value) & 0xffff;
        float pair = Float.intBitsToFloat(bits << 16 | bits);
        int words = Float.isNaN(pair) ? 0 : count / 2;
        fill(target, to, words, pair);
        for (int i = 2 * words; i < count; i++) {
            Lanes.setBf16(target, to + 2L * i, value);
        }
    }

    /** Sets fp32. */
    static void fill(Object target, long to, int count, float value) {
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            Lanes.store(Lanes.broadcast(value), target, to + 4L * i);
        }
        for (; i < count; i++) {
            Lanes.set(target, to + 4L * i, value);
        }
    }
}
