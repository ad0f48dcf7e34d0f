package io.rlhf4j.backend.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import jdk.internal.vm.vector.VectorSupport;
import jdk.internal.vm.vector.VectorSupport.LoadOperation;
import jdk.internal.vm.vector.VectorSupport.StoreVectorOperation;

/**
 * Loads and stores by address, made as the JDK's own vector classes make theirs. JDK 17 alone has them in this form: later
 * ones leave this file out, and a JVM without {@code --add-exports java.base/jdk.internal.vm.vector=ALL-UNNAMED} does not
 * use it ({@link LaneHandles}).
 *
 * <p>A load from a buffer is ten instructions, and so much for the compiler to look through that a method holds a dozen of
 * them: of a longer one the rest is not compiled to vectors at all. A load by address is one or two. Nothing checks it.
 * Until a method is compiled, the buffer is what it reads.
 */
final class AddressLanes {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int WIDTH = FLOATS.length();

    private static final VectorSupport.VectorSpecies<Float> JDK_FLOATS = inner(FLOATS);
    private static final VectorSupport.VectorSpecies<Short> JDK_SHORTS = inner(SHORTS);
    private static final Class<? extends FloatVector> FLOAT_VECTOR =
            FLOATS.vectorType().asSubclass(FloatVector.class);
    private static final Class<? extends ShortVector> SHORT_VECTOR =
            SHORTS.vectorType().asSubclass(ShortVector.class);

    private static final LoadOperation<Window, FloatVector, Float, VectorSupport.VectorSpecies<Float>> READ_FLOATS =
            (window, at, species) -> FloatVector.fromByteBuffer(FLOATS, window.buffer, at, ByteOrder.LITTLE_ENDIAN);
    private static final LoadOperation<Window, ShortVector, Short, VectorSupport.VectorSpecies<Short>> READ_SHORTS =
            (window, at, species) -> ShortVector.fromByteBuffer(SHORTS, window.buffer, at, ByteOrder.LITTLE_ENDIAN);
    private static final StoreVectorOperation<Window, VectorSupport.Vector<?>> WRITE =
            (window, at, vector) -> ((jdk.incubator.vector.Vector<?>) (Object) vector)
                    .intoByteBuffer(window.buffer, at, ByteOrder.LITTLE_ENDIAN);

    private AddressLanes() {}

    /** Memory to load from: a direct buffer and where it begins. */
    private record Window(ByteBuffer buffer, long address) {}

    @SuppressWarnings("unchecked") // What the JDK's species are, they do not say outside.
    private static <E> VectorSupport.VectorSpecies<E> inner(VectorSpecies<E> species) {
        return (VectorSupport.VectorSpecies<E>) (Object) species;
    }

    static Object view(ByteBuffer buffer, long address) {
        return new Window(buffer, address);
    }

    static long address(Object memory, long offset) {
        return ((Window) memory).address + offset;
    }

    static FloatVector load(Object memory, long offset) {
        Window window = (Window) memory;
        long at = window.address + offset;
        return VectorSupport.load(
                FLOAT_VECTOR, float.class, WIDTH, null, at, window, (int) offset, JDK_FLOATS, READ_FLOATS);
    }

    static ShortVector loadShorts(Object memory, long offset) {
        Window window = (Window) memory;
        long at = window.address + offset;
        return VectorSupport.load(
                SHORT_VECTOR, short.class, WIDTH, null, at, window, (int) offset, JDK_SHORTS, READ_SHORTS);
    }

    static void store(FloatVector vector, Object memory, long offset) {
        Window window = (Window) memory;
        long at = window.address + offset;
        VectorSupport.Vector<?> inner = (VectorSupport.Vector<?>) (Object) vector;
        VectorSupport.store(FLOAT_VECTOR, float.class, WIDTH, null, at, inner, window, (int) offset, WRITE);
    }

    static void storeShorts(ShortVector vector, Object memory, long offset) {
        Window window = (Window) memory;
        long at = window.address + offset;
        VectorSupport.Vector<?> inner = (VectorSupport.Vector<?>) (Object) vector;
        VectorSupport.store(SHORT_VECTOR, short.class, WIDTH, null, at, inner, window, (int) offset, WRITE);
    }
}
