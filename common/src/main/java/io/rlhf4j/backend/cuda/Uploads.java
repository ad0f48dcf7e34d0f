package io.rlhf4j.backend.cuda;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.Supplier;

/**
 * Small arrays of the host, brought to the device in the stream's order: indices, positions, lengths. What was sent a short
 * while ago is not sent again: the layers of a model ask for the same positions one after the other.
 */
final class Uploads {
    private static final int BYTES = 32 << 20;
    private static final int ALIGNMENT = 256;
    private static final int REMEMBERED = 64;

    /** What was sent, and where it lies. */
    private record Sent(Object content, long address) {
        boolean holds(int... values) {
            return content instanceof int[] own && Arrays.equals(own, values);
        }

        boolean holds(float... values) {
            return content instanceof float[] own && Arrays.equals(own, values);
        }
    }

    private final Stream stream;
    private final long hostAddress;
    private final ByteBuffer host;
    private final long deviceAddress;
    private final Deque<Sent> sent = new ArrayDeque<>();
    private int next;
    private RecordedInputs recording;

    Uploads(Stream stream, MemoryPool memories) {
        this.stream = stream;
        this.hostAddress = HostStaging.pinned(BYTES);
        this.host = HostStaging.buffer(hostAddress, BYTES);
        this.deviceAddress = memories.allocate(BYTES).address();
    }

    /** Where these numbers lie on the device, for the work that is asked for next. */
    long send(int... values) {
        if (recording != null) {
            return recording.place(values, () -> values);
        }
        for (Sent before : sent) {
            if (before.holds(values)) {
                return before.address;
            }
        }
        int at = reserve(Integer.BYTES * values.length);
        host.position(at);
        host.asIntBuffer().put(values);
        return remember(values.clone(), copied(at, Integer.BYTES * values.length));
    }

    /**
     * {@link #send(int...)} of numbers that are derived from others.
     *
     * @param source what they are derived from and nothing else is: where a recorded pass is run again, they are derived anew
     *     from what is there by then
     */
    long send(Object source, Supplier<int[]> derived) {
        return recording != null ? recording.place(source, derived) : send(derived.get());
    }

    /** {@link #send(int...)} of fp32. */
    long send(float... values) {
        if (recording != null) {
            return recording.place(values, () -> bits(values));
        }
        for (Sent before : sent) {
            if (before.holds(values)) {
                return before.address;
            }
        }
        int at = reserve(Float.BYTES * values.length);
        host.position(at);
        host.asFloatBuffer().put(values);
        return remember(values.clone(), copied(at, Float.BYTES * values.length));
    }

    /** {@link #send(int...)} of fp64, which are never the same twice. */
    long send(double... values) {
        if (recording != null) {
            throw new IllegalStateException("a recorded pass draws no tokens");
        }
        int at = reserve(Double.BYTES * values.length);
        host.position(at);
        host.asDoubleBuffer().put(values);
        return copied(at, Double.BYTES * values.length);
    }

    /** Until {@link #endRecording} numbers are given places among {@code inputs}, which stay theirs. */
    void beginRecording(RecordedInputs inputs) {
        recording = inputs;
    }

    void endRecording() {
        recording = null;
    }

    /** Copies numbers to a place of their own on the device. */
    void copy(int[] values, long target) {
        int at = reserve(Integer.BYTES * values.length);
        host.position(at);
        host.asIntBuffer().put(values);
        stream.toDevice(target, hostAddress + at, Integer.BYTES * (long) values.length);
    }

    private long copied(int at, int bytes) {
        if (bytes == 0) {
            return deviceAddress;
        }
        stream.toDevice(deviceAddress + at, hostAddress + at, bytes);
        return deviceAddress + at;
    }

    private long remember(Object content, long address) {
        sent.addFirst(new Sent(content, address));
        if (sent.size() > REMEMBERED) {
            sent.removeLast();
        }
        return address;
    }

    private static int[] bits(float... values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        return bits;
    }

    /** Room in the ring; when it is full, what lies there has to have been used before it is written anew. */
    private int reserve(int bytes) {
        if (bytes > BYTES) {
            throw new IllegalArgumentException("%d bytes of indices in one call, at most %d".formatted(bytes, BYTES));
        }
        if (next + bytes > BYTES) {
            stream.await();
            sent.clear();
            next = 0;
        }
        int at = next;
        next += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return at;
    }
}
