package io.rlhf4j.format;

import java.nio.ByteBuffer;

/** Elements as bytes, little-endian, to and from Java's numbers. */
final class ElementCodec {
    private ElementCodec() {}

    /** Converts the first {@code count} elements of {@code bytes} to fp32. */
    static void toFloats(ElementType type, ByteBuffer bytes, float[] target, int count) {
        switch (type) {
            case F32 -> bytes.asFloatBuffer().get(target, 0, count);
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    target[i] = (float) bytes.getDouble(i * 8);
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    target[i] = HalfPrecision.bf16ToFloat(bytes.getShort(i * 2));
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    target[i] = HalfPrecision.fp16ToFloat(bytes.getShort(i * 2));
                }
            }
            case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException(type + " is not floating-point");
        }
    }

    /** Converts {@code count} elements of {@code bytes} to fp64. */
    static void toDoubles(ElementType type, ByteBuffer bytes, double[] target, int from, int count) {
        if (type == ElementType.F64) {
            bytes.asDoubleBuffer().get(target, from, count);
            return;
        }
        float[] floats = new float[count];
        toFloats(type, bytes, floats, count);
        for (int i = 0; i < count; i++) {
            target[from + i] = floats[i];
        }
    }

    /** Converts {@code count} integer elements of {@code bytes} to longs. */
    static void toLongs(ElementType type, ByteBuffer bytes, long[] target, int from, int count) {
        for (int i = 0; i < count; i++) {
            target[from + i] = switch (type) {
                case I64 -> bytes.getLong(i * 8);
                case I32 -> bytes.getInt(i * 4);
                case I16 -> bytes.getShort(i * 2);
                case I8 -> bytes.get(i);
                case U8, BOOL -> bytes.get(i) & 0xff;
                case F64, F32, F16, BF16 -> throw new IllegalArgumentException(type + " is not an integer");
            };
        }
    }

    /** Appends {@code count} elements, rounded to {@code type}. */
    static void append(ElementType type, float[] values, int count, ByteBuffer target) {
        switch (type) {
            case F32 -> {
                target.asFloatBuffer().put(values, 0, count);
                target.position(target.position() + count * 4);
            }
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    target.putDouble(values[i]);
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    target.putShort(HalfPrecision.floatToBf16(values[i]));
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    target.putShort(HalfPrecision.floatToFp16(values[i]));
                }
            }
            case I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException(type + " is not floating-point");
        }
    }
}
