package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.Bfloat16;
import jdk.incubator.vector.FloatVector;

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

    /** fp32 from int8 whose words hold a number of each of four vectors ({@link Lanes#int8}); a multiple of so many. */
    static void widenInt8(Object source, long from, Object target, long to, int count) {
        for (int i = 0; i < count; i += 4 * WIDTH) {
            FloatVector words = Lanes.load(source, from + i);
            long at = to + 4L * i;
            Lanes.store(Lanes.int8(words, 0), target, at);
            Lanes.store(Lanes.int8(words, 1), target, at + 4L * WIDTH);
            Lanes.store(Lanes.int8(words, 2), target, at + 8L * WIDTH);
            Lanes.store(Lanes.int8(words, 3), target, at + 12L * WIDTH);
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
