package io.rlhf4j.backend.cpu;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Finds the loads and stores of the running JDK: by address where it lets us, else of byte buffers up to JDK 18, of memory
 * segments from JDK 19 on.
 */
final class LaneHandles {
    /** What {@link AddressLanes} needs of the JDK. */
    private static final String INTERNALS = "jdk.internal.vm.vector";

    private static final int JDK_OF_ADDRESSES = 17;

    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();
    private static final Class<?> ADDRESSES = addressLanes();

    /** Whether memory is reached by address. */
    static final boolean BY_ADDRESS = ADDRESSES != null;

    private static final boolean SEGMENTS = readsSegments();

    private LaneHandles() {}

    private static Class<?> addressLanes() {
        boolean open = Object.class.getModule().isExported(INTERNALS, LaneHandles.class.getModule());
        if (!open || Runtime.version().feature() != JDK_OF_ADDRESSES) {
            return null;
        }
        try {
            return Class.forName(LaneHandles.class.getPackageName() + ".AddressLanes");
        } catch (ClassNotFoundException | LinkageError e) {
            return null;
        }
    }

    private static MethodHandle byAddress(String name, Class<?> result, Class<?>... parameters) {
        try {
            return LOOKUP.findStatic(ADDRESSES, name, MethodType.methodType(result, parameters));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static boolean readsSegments() {
        try {
            FloatVector.class.getMethod(
                    "fromByteBuffer", VectorSpecies.class, ByteBuffer.class, int.class, ByteOrder.class);
            return false;
        } catch (NoSuchMethodException e) {
            return true;
        }
    }

    private static Class<?> foreign(String name) {
        try {
            return Class.forName("java.lang.foreign." + name);
        } catch (ClassNotFoundException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static MethodHandle view() {
        if (BY_ADDRESS) {
            return byAddress("view", Object.class, ByteBuffer.class, long.class);
        }
        MethodHandle view = MethodHandles.identity(ByteBuffer.class);
        try {
            if (SEGMENTS) {
                Class<?> segment = foreign("MemorySegment");
                view = MethodHandles.publicLookup()
                        .findStatic(segment, "ofBuffer", MethodType.methodType(segment, Buffer.class));
            }
            return MethodHandles.dropArguments(
                    view.asType(MethodType.methodType(Object.class, ByteBuffer.class)), 1, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static Class<?> memoryClass() {
        return SEGMENTS ? foreign("MemorySegment") : ByteBuffer.class;
    }

    private static Class<?> offsetClass() {
        return SEGMENTS ? long.class : int.class;
    }

    static MethodHandle load(Class<?> vector, VectorSpecies<?> species) {
        if (BY_ADDRESS) {
            return byAddress(vector == FloatVector.class ? "load" : "loadShorts", vector, Object.class, long.class);
        }
        try {
            MethodHandle load = MethodHandles.publicLookup()
                    .findStatic(
                            vector,
                            SEGMENTS ? "fromMemorySegment" : "fromByteBuffer",
                            MethodType.methodType(
                                    vector, VectorSpecies.class, memoryClass(), offsetClass(), ByteOrder.class));
            MethodHandle bound = MethodHandles.insertArguments(
                    MethodHandles.insertArguments(load, 3, ByteOrder.LITTLE_ENDIAN), 0, species);
            return MethodHandles.explicitCastArguments(bound, MethodType.methodType(vector, Object.class, long.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static MethodHandle store(Class<?> vector) {
        if (BY_ADDRESS) {
            String name = vector == FloatVector.class ? "store" : "storeShorts";
            return byAddress(name, void.class, vector, Object.class, long.class);
        }
        try {
            MethodHandle store = MethodHandles.publicLookup()
                    .findVirtual(
                            vector,
                            SEGMENTS ? "intoMemorySegment" : "intoByteBuffer",
                            MethodType.methodType(void.class, memoryClass(), offsetClass(), ByteOrder.class));
            MethodHandle bound = MethodHandles.insertArguments(store, 3, ByteOrder.LITTLE_ENDIAN);
            return MethodHandles.explicitCastArguments(
                    bound, MethodType.methodType(void.class, vector, Object.class, long.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static MethodHandle get(String name, Class<?> type) {
        return scalarHandle(name, type, MethodType.methodType(type), "get")
                .asType(MethodType.methodType(type, Object.class, long.class));
    }

    static MethodHandle set(String name, Class<?> type) {
        return scalarHandle(name, type, MethodType.methodType(void.class, type), "set")
                .asType(MethodType.methodType(void.class, Object.class, long.class, type));
    }

    private static MethodHandle scalarHandle(String name, Class<?> type, MethodType rest, String action) {
        boolean reads = action.equals("get");
        if (BY_ADDRESS) {
            return unsafeAt((reads ? "get" : "put") + name, rest);
        }
        try {
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            if (SEGMENTS) {
                Class<?> layouts = foreign("ValueLayout");
                Object layout = layouts.getField("JAVA_" + name.toUpperCase(Locale.ROOT) + "_UNALIGNED")
                        .get(null);
                Class<?> layoutClass = foreign("ValueLayout$Of" + name);
                MethodHandle handle = lookup.findVirtual(
                        memoryClass(), action, rest.insertParameterTypes(0, layoutClass, long.class));
                return MethodHandles.insertArguments(handle, 1, layout);
            }
            MethodType signature = rest.insertParameterTypes(0, int.class);
            MethodHandle handle = lookup.findVirtual(
                    ByteBuffer.class,
                    (reads ? "get" : "put") + name,
                    reads ? signature : signature.changeReturnType(ByteBuffer.class));
            if (!reads) {
                handle = handle.asType(handle.type().changeReturnType(void.class));
            }
            return MethodHandles.explicitCastArguments(handle, handle.type().changeParameterType(1, long.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** (Object from, long offset, Object to, long offset, long bytes): a copy by the JDK itself; null where none can be had. */
    static MethodHandle copy() {
        if (!BY_ADDRESS) {
            return null;
        }
        MethodType type = MethodType.methodType(void.class, long.class, long.class, long.class);
        MethodHandle address = byAddress("address", long.class, Object.class, long.class);
        return MethodHandles.collectArguments(
                MethodHandles.collectArguments(unsafe("copyMemory", type), 1, address), 0, address);
    }

    /** (Object memory, long offset, ...) to what {@code sun.misc.Unsafe}'s method of that name does at an address. */
    private static MethodHandle unsafeAt(String name, MethodType type) {
        return MethodHandles.collectArguments(
                unsafe(name, type.insertParameterTypes(0, long.class)),
                0,
                byAddress("address", long.class, Object.class, long.class));
    }

    private static MethodHandle unsafe(String name, MethodType type) {
        try {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            Field only = unsafe.getDeclaredField("theUnsafe");
            only.setAccessible(true);
            return LOOKUP.findVirtual(unsafe, name, type).bindTo(only.get(null));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
