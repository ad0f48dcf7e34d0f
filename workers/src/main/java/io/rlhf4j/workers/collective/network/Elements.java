package io.rlhf4j.workers.collective.network;

import io.rlhf4j.tensor.Bfloat16;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;

/**
 * A tensor's elements as bytes of this process: where they lie, or a copy where the backend keeps them elsewhere. Copies are
 * made and written back by the rank's own thread, at the beginning and the end of an operation.
 */
final class Elements {
    private static final int COPIED_AT_ONCE = 1 << 16;

    private final Tensor tensor;
    private final ByteBuffer copy;

    private Elements(Tensor tensor, ByteBuffer copy) {
        this.tensor = tensor;
        this.copy = copy;
    }

    static Elements of(Tensor tensor) {
        if (tensor.backend().hostBytes(range(tensor, 0, 0)).isPresent()) {
            return new Elements(tensor, null);
        }
        long bytes = tensor.elements() * tensor.type().bytes();
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "%s of backend %s has %d bytes, and a copy for the network at most 2 GiB; cut it in several"
                            .formatted(tensor, tensor.backend().name(), bytes));
        }
        Elements elements = new Elements(tensor, ByteBuffer.allocateDirect((int) bytes));
        elements.copyIn();
        return elements;
    }

    DType type() {
        return tensor.type();
    }

    /** Elements {@code from} to {@code from + count} as bytes, in the machine's order: what is put there is set. */
    ByteBuffer bytes(long from, int count) {
        if (copy == null) {
            return tensor.backend().hostBytes(range(tensor, from, count)).orElseThrow();
        }
        int size = type().bytes();
        return copy.slice(Math.toIntExact(from * size), count * size).order(ByteOrder.nativeOrder());
    }

    /** Sets elements from {@code from} on to those of {@code part}, a tensor of the same type, unless they are its own. */
    void set(long from, Tensor part) {
        if (copy == null && part.storage() == tensor.storage() && part.offset() == tensor.offset() + from) {
            return;
        }
        Elements source = of(part);
        for (long at = 0; at < part.elements(); at += COPIED_AT_ONCE) {
            int count = (int) Math.min(COPIED_AT_ONCE, part.elements() - at);
            bytes(from + at, count).put(source.bytes(at, count));
        }
    }

    private void copyIn() {
        float[] values = new float[COPIED_AT_ONCE];
        for (long from = 0; from < tensor.elements(); from += COPIED_AT_ONCE) {
            int count = (int) Math.min(COPIED_AT_ONCE, tensor.elements() - from);
            tensor.backend().read(range(tensor, from, count), values, 0);
            write(values, count, type(), bytes(from, count));
        }
    }

    /** Sets the tensor to the copy, where there is one. */
    void copyBack() {
        if (copy == null) {
            return;
        }
        float[] values = new float[COPIED_AT_ONCE];
        for (long from = 0; from < tensor.elements(); from += COPIED_AT_ONCE) {
            int count = (int) Math.min(COPIED_AT_ONCE, tensor.elements() - from);
            read(bytes(from, count), type(), values, count);
            tensor.backend().write(range(tensor, from, count), values, 0);
        }
    }

    /** The first {@code count} elements of {@code bytes} as fp32. */
    static void read(ByteBuffer bytes, DType type, float[] target, int count) {
        read(bytes, 0, type, target, 0, count);
    }

    /** Elements {@code from} to {@code from + count} of {@code bytes} as fp32, to {@code to} and behind. */
    static void read(ByteBuffer bytes, int from, DType type, float[] target, int to, int count) {
        ByteBuffer ordered = bytes.duplicate().order(ByteOrder.nativeOrder());
        switch (type) {
            case FP32 -> ordered.asFloatBuffer().get(from, target, to, count);
            case BF16 -> {
                ShortBuffer halves = ordered.asShortBuffer();
                for (int i = 0; i < count; i++) {
                    target[to + i] = Bfloat16.widen(halves.get(from + i));
                }
            }
        }
    }

    /** Puts {@code count} numbers as elements of {@code type}, rounded, to the beginning of {@code bytes}. */
    static void write(float[] values, int count, DType type, ByteBuffer bytes) {
        ByteBuffer ordered = bytes.duplicate().order(ByteOrder.nativeOrder());
        switch (type) {
            case FP32 -> ordered.asFloatBuffer().put(values, 0, count);
            case BF16 -> {
                ShortBuffer halves = ordered.asShortBuffer();
                for (int i = 0; i < count; i++) {
                    halves.put(i, Bfloat16.narrow(values[i]));
                }
            }
        }
    }

    private static Tensor range(Tensor tensor, long from, int count) {
        return Tensor.of(tensor.backend(), tensor.storage(), tensor.type(), tensor.offset() + from, count);
    }
}
