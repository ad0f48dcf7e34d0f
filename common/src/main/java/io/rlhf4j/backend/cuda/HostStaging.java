package io.rlhf4j.backend.cuda;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** Page-locked memory of the host, through which numbers come to the device and back. */
final class HostStaging {
    /** Elements that pass at once. */
    static final int FLOATS = 1 << 22;

    private final Stream stream;
    private final long address;
    private final ByteBuffer bytes;

    HostStaging(Stream stream) {
        this.stream = stream;
        this.address = pinned(4L * FLOATS);
        this.bytes = buffer(address, 4L * FLOATS);
    }

    /** Page-locked memory, which stays until the process ends. */
    static long pinned(long size) {
        long[] result = new long[1];
        Calls.driver(DriverApi.cuMemAllocHost_v2(result, size), "cuMemAllocHost");
        return result[0];
    }

    static ByteBuffer buffer(long address, long size) {
        return new Pointer(address).getByteBuffer(0, size).order(ByteOrder.nativeOrder());
    }

    /** Copies at most {@link #FLOATS} numbers to the device, and waits. */
    void send(float[] source, int from, int count, long target) {
        FloatBuffer floats = bytes.asFloatBuffer();
        floats.put(0, source, from, count);
        stream.toDevice(target, address, 4L * count);
        stream.await();
    }

    /** Copies at most {@link #FLOATS} numbers from the device when all work before is done. */
    void receive(long source, float[] target, int from, int count) {
        stream.toHost(address, source, 4L * count);
        stream.await();
        bytes.asFloatBuffer().get(0, target, from, count);
    }

    /** Copies whole numbers from the device when all work before is done. */
    void receive(long source, int... target) {
        stream.toHost(address, source, 4L * target.length);
        stream.await();
        bytes.asIntBuffer().get(0, target);
    }

    /** A double from the device when all work before is done. */
    double receiveDouble(long source) {
        stream.toHost(address, source, Double.BYTES);
        stream.await();
        return bytes.getDouble(0);
    }
}
