package io.rlhf4j.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Starts kernels that may begin while the one before still runs: the driver's CUlaunchConfig with one attribute. */
final class OverlappedLaunch {
    private static final int GRID_X = 0;
    private static final int GRID_Y = 4;
    private static final int GRID_Z = 8;
    private static final int THREADS_X = 12;
    private static final int THREADS_Y = 16;
    private static final int THREADS_Z = 20;
    private static final int SHARED_BYTES = 24;
    private static final int STREAM = 32;
    private static final int ATTRIBUTES = 40;
    private static final int ATTRIBUTE_COUNT = 48;
    private static final int CONFIGURATION_BYTES = 56;

    private static final int ATTRIBUTE_KIND = 0;
    private static final int ATTRIBUTE_VALUE = 8;
    private static final int ATTRIBUTE_BYTES = 72;

    private final Memory configuration = new Memory(CONFIGURATION_BYTES);
    private final Memory attribute = new Memory(ATTRIBUTE_BYTES);
    private final ByteBuffer fields =
            configuration.getByteBuffer(0, CONFIGURATION_BYTES).order(ByteOrder.nativeOrder());

    OverlappedLaunch(long stream) {
        attribute.clear();
        attribute.setInt(ATTRIBUTE_KIND, DriverApi.PROGRAMMATIC_SERIALIZATION);
        attribute.setInt(ATTRIBUTE_VALUE, 1);
        configuration.clear();
        fields.putInt(THREADS_Y, 1)
                .putInt(THREADS_Z, 1)
                .putLong(STREAM, stream)
                .putLong(ATTRIBUTES, Pointer.nativeValue(attribute))
                .putInt(ATTRIBUTE_COUNT, 1);
    }

    void launch(Kernel kernel, int blocksX, int blocksY, int blocksZ, int threads, int sharedBytes, long parameters) {
        fields.putInt(GRID_X, blocksX)
                .putInt(GRID_Y, blocksY)
                .putInt(GRID_Z, blocksZ)
                .putInt(THREADS_X, threads)
                .putInt(SHARED_BYTES, sharedBytes);
        Calls.driver(
                DriverApi.cuLaunchKernelEx(Pointer.nativeValue(configuration), kernel.function(), parameters, 0),
                kernel.name());
    }
}
