package io.rlhf4j.backend.cpu;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Finds the loads and stores of the running JDK: of byte buffers up to JDK 18, of memory segments from JDK 19 on. */
final class LaneHandles {
    private static final boolean SEGMENTS = readsSegments();

    private LaneHandles() {}

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
        MethodType type = MethodType.methodType(Object.class, ByteBuffer.class);
        try {
            if (!SEGMENTS) {
                return MethodHandles.identity(ByteBuffer.class).asType(type);
            }
            Class<?> segment = foreign("MemorySegment");
            return MethodHandles.publicLookup()
                    .findStatic(segment, "ofBuffer", MethodType.methodType(segment, Buffer.class))
                    .asType(type);
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
            boolean reads = action.equals("get");
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
}
