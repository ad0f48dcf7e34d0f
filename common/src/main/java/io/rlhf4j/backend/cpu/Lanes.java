package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.Bfloat16;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vectors to and from native memory: the one place that knows how the running JDK does it.
 *
 * <p>Up to JDK 18 vectors are read from a {@link ByteBuffer} or by address ({@link AddressLanes}), from JDK 19 on from a
 * {@code MemorySegment}, which Java 17 cannot name. Memory is therefore an {@link Object} here, and loads and stores are method handles found when this class
 * is initialised; as {@code static final} constants they compile to the bare instruction. Offsets are in bytes.
 */
final class Lanes {
    /** The JDK reads it once, when the first vector class is initialised. */
    private static final String BOUNDS_CHECK = "jdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK";

    static {
        // What kernels may touch is checked where an operation begins (Operands); a check of every load and shuffle
        // takes up to two fifths of a kernel's time. Whoever looks for an error sets it to 2, as tests do.
        if (System.getProperty(BOUNDS_CHECK) == null) {
            System.setProperty(BOUNDS_CHECK, "0");
        }
    }

    /** The processor's widest vector of fp32. */
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;

    /** How many fp32 a vector holds. */
    static final int WIDTH = FLOATS.length();

    private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    private static final VectorSpecies<Short> HALVES =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    /** 0, 1, 2, ... */
    static final FloatVector IOTA = (FloatVector) FLOATS.broadcast(0).addIndex(1);

    private static final VectorShuffle<Float> HALF = rotation(WIDTH / 2);
    private static final VectorShuffle<Float> QUARTER = rotation(Math.max(1, WIDTH / 4));
    private static final VectorShuffle<Float> EIGHTH = rotation(Math.max(1, WIDTH / 8));
    private static final VectorShuffle<Float> SIXTEENTH = rotation(Math.max(1, WIDTH / 16));

    private static final MethodHandle VIEW = LaneHandles.view();
    private static final MethodHandle LOAD_FLOATS = LaneHandles.load(FloatVector.class, FLOATS);
    private static final MethodHandle STORE_FLOATS = LaneHandles.store(FloatVector.class);
    private static final MethodHandle LOAD_SHORTS = LaneHandles.load(ShortVector.class, HALVES);
    private static final MethodHandle STORE_SHORTS = LaneHandles.store(ShortVector.class);
    private static final MethodHandle GET_FLOAT = LaneHandles.get("Float", float.class);
    private static final MethodHandle GET_SHORT = LaneHandles.get("Short", short.class);
    private static final MethodHandle SET_FLOAT = LaneHandles.set("Float", float.class);
    private static final MethodHandle SET_SHORT = LaneHandles.set("Short", short.class);
    private static final MethodHandle GET_INT = LaneHandles.get("Int", int.class);
    private static final MethodHandle SET_INT = LaneHandles.set("Int", int.class);
    private static final MethodHandle COPY = LaneHandles.copy();

    /** What {@link #int8} makes of the whole number 1. */
    static final float INT8_UNIT = 0x1p24f;

    private static final IntVector UPPER_BYTE = IntVector.broadcast(INTS, 0xff000000);

    private static final VectorShuffle<Float> FIRST_DOUBLED = VectorShuffle.fromOp(FLOATS, lane -> lane / 2);
    private static final VectorShuffle<Float> LAST_DOUBLED =
            VectorShuffle.fromOp(FLOATS, lane -> (lane + FLOATS.length()) / 2);
    private static final VectorMask<Float> ODD_LANES = VectorMask.fromLong(FLOATS, 0xaaaaaaaaaaaaaaaaL);

    private Lanes() {}

    /** What the loads and stores of this JDK take for {@code buffer}, a direct buffer that begins at {@code address}. */
    static Object view(ByteBuffer buffer, long address) {
        try {
            return (Object) VIEW.invokeExact(buffer.order(ByteOrder.LITTLE_ENDIAN), address);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    // ---- fp32

    static FloatVector load(Object memory, long offset) {
        try {
            return (FloatVector) LOAD_FLOATS.invokeExact(memory, offset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void store(FloatVector vector, Object memory, long offset) {
        try {
            STORE_FLOATS.invokeExact(vector, memory, offset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static float get(Object memory, long offset) {
        try {
            return (float) GET_FLOAT.invokeExact(memory, offset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void set(Object memory, long offset, float value) {
        try {
            SET_FLOAT.invokeExact(memory, offset, value);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Copies fp32. */
    static void copy(Object source, long from, Object target, long to, int count) {
        try {
            // A vector that is stored as it was loaded by address would become an object in between.
            if (COPY != null) {
                COPY.invokeExact(source, from, target, to, 4L * count);
                return;
            }
        } catch (Throwable e) {
            throw unexpected(e);
        }
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            store(load(source, from + 4L * i), target, to + 4L * i);
        }
        for (; i < count; i++) {
            set(target, to + 4L * i, get(source, from + 4L * i));
        }
    }

    /** The first {@code count} lanes from memory, the others 0. */
    static FloatVector loadPart(Object memory, long offset, int count) {
        float[] lanes = new float[WIDTH];
        for (int i = 0; i < count; i++) {
            lanes[i] = get(memory, offset + 4L * i);
        }
        return FloatVector.fromArray(FLOATS, lanes, 0);
    }

    /** Only the first {@code count} lanes to memory. */
    static void storePart(FloatVector vector, Object memory, long offset, int count) {
        float[] lanes = new float[WIDTH];
        vector.intoArray(lanes, 0);
        for (int i = 0; i < count; i++) {
            set(memory, offset + 4L * i, lanes[i]);
        }
    }

    // ---- bf16

    static FloatVector loadBf16(Object memory, long offset) {
        try {
            ShortVector halves = (ShortVector) LOAD_SHORTS.invokeExact(memory, offset);
            IntVector bits = (IntVector) halves.convertShape(VectorOperators.S2I, INTS, 0);
            return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Stores lanes rounded to nearest, ties to even; NaN stays NaN. */
    static void storeBf16(FloatVector vector, Object memory, long offset) {
        try {
            IntVector bits = vector.reinterpretAsInts();
            IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
            IntVector rounded = bits.add(0x7fff).add(odd);
            VectorMask<Integer> notANumber =
                    vector.compare(VectorOperators.NE, vector).cast(INTS);
            IntVector upper = rounded.blend(0x7fc00000, notANumber).lanewise(VectorOperators.LSHR, 16);
            ShortVector halves = (ShortVector) upper.convertShape(VectorOperators.I2S, HALVES, 0);
            STORE_SHORTS.invokeExact(halves, memory, offset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static float getBf16(Object memory, long offset) {
        try {
            return Bfloat16.widen((short) GET_SHORT.invokeExact(memory, offset));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void setBf16(Object memory, long offset, float value) {
        try {
            SET_SHORT.invokeExact(memory, offset, Bfloat16.narrow(value));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Of two bf16 in each lane, as they lie in memory, the first. */
    static FloatVector lowerBf16(FloatVector pairs) {
        return pairs.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** Of two bf16 in each lane, as they lie in memory, the second. */
    static FloatVector upperBf16(FloatVector pairs) {
        return pairs.reinterpretAsInts().and(0xffff0000).reinterpretAsFloats();
    }

    // ---- int8

    static int getInt(Object memory, long offset) {
        try {
            return (int) GET_INT.invokeExact(memory, offset);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void setInt(Object memory, long offset, int value) {
        try {
            SET_INT.invokeExact(memory, offset, value);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * Of four whole numbers in each lane, as they lie in memory, number {@code which} times {@link #INT8_UNIT}: it stays in
     * the upper byte of its word, because a second shift would take a fifth of a kernel's time.
     */
    static FloatVector int8(FloatVector words, int which) {
        IntVector ints = words.reinterpretAsInts();
        IntVector shifted = which == 3 ? ints : ints.lanewise(VectorOperators.LSHL, 24 - 8 * which);
        return (FloatVector) shifted.lanewise(VectorOperators.AND, UPPER_BYTE).convert(VectorOperators.I2F, 0);
    }

    // ---- across lanes, in a fixed order

    /** {@code a[0], b[0], a[1], b[1], ...} as far as they fit. */
    static FloatVector firstHalvesByTurns(FloatVector a, FloatVector b) {
        return a.rearrange(FIRST_DOUBLED).blend(b.rearrange(FIRST_DOUBLED), ODD_LANES);
    }

    /** The rest of {@link #firstHalvesByTurns}. */
    static FloatVector lastHalvesByTurns(FloatVector a, FloatVector b) {
        return a.rearrange(LAST_DOUBLED).blend(b.rearrange(LAST_DOUBLED), ODD_LANES);
    }

    /** The sum of all lanes: halves are added to each other until one lane is left. */
    static float sum(FloatVector vector) {
        FloatVector v = vector;
        v = v.add(v.rearrange(HALF));
        if (WIDTH > 2) {
            v = v.add(v.rearrange(QUARTER));
        }
        if (WIDTH > 4) {
            v = v.add(v.rearrange(EIGHTH));
        }
        if (WIDTH > 8) {
            v = v.add(v.rearrange(SIXTEENTH));
        }
        return v.lane(0);
    }

    /** The largest lane; lanes that are no number are passed over. */
    static float max(FloatVector vector) {
        FloatVector v = vector;
        v = larger(v, v.rearrange(HALF));
        if (WIDTH > 2) {
            v = larger(v, v.rearrange(QUARTER));
        }
        if (WIDTH > 4) {
            v = larger(v, v.rearrange(EIGHTH));
        }
        if (WIDTH > 8) {
            v = larger(v, v.rearrange(SIXTEENTH));
        }
        return v.lane(0);
    }

    /** Lane by lane b where b is greater than a, else a. Cheaper than max, which orders zeros and NaN. */
    static FloatVector larger(FloatVector a, FloatVector b) {
        return a.blend(b, b.compare(VectorOperators.GT, a));
    }

    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }

    // ---- how this JDK does it

    private static VectorShuffle<Float> rotation(int distance) {
        return VectorShuffle.fromOp(FLOATS, lane -> (lane + distance) % FLOATS.length());
    }

    private static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException runtime) {
            return runtime;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(e);
    }
}
