package io.rlhf4j.backend.cuda;

import com.sun.jna.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One order of work on one device: kernels and copies run one after the other, behind the calls that ask for them. Between
 * {@link #beginRecording} and {@link #endRecording} they are not run but put into a graph, in which each kernel may begin
 * while the one before still runs: all of this package wait for it before they touch what others do.
 */
final class Stream {
    private static final int MOST_ARGUMENTS = 40;
    private static final ThreadLocal<Long> CURRENT_CONTEXT = ThreadLocal.withInitial(() -> 0L);

    private final long context;
    private final long handle;
    private final Memory arguments = new Memory(8L * MOST_ARGUMENTS);
    private final Memory places = new Memory(8L * MOST_ARGUMENTS);
    private final ByteBuffer values =
            arguments.getByteBuffer(0, arguments.size()).order(ByteOrder.nativeOrder());
    private final long parameters = com.sun.jna.Pointer.nativeValue(places);
    private final OverlappedLaunch overlapped;
    private boolean recording;
    private int count;

    /** A stream on the device's primary context, which all libraries of the process share. */
    Stream(Device device) {
        long[] result = new long[1];
        Calls.driver(DriverApi.cuDevicePrimaryCtxRetain(result, device.handle()), "cuDevicePrimaryCtxRetain");
        context = result[0];
        enter();
        Calls.driver(DriverApi.cuStreamCreate(result, DriverApi.NON_BLOCKING_STREAM), "cuStreamCreate");
        handle = result[0];
        overlapped = new OverlappedLaunch(handle);
        for (int i = 0; i < MOST_ARGUMENTS; i++) {
            places.setLong(8L * i, com.sun.jna.Pointer.nativeValue(arguments) + 8L * i);
        }
    }

    /** Begins an operation: has the calling thread speak to this stream's device. */
    void enter() {
        // An operation that failed may have left some.
        count = 0;
        enterContext();
    }

    /** Has the calling thread speak to this stream's device, whoever else uses the stream. */
    void enterContext() {
        if (CURRENT_CONTEXT.get() != context) {
            Calls.driver(DriverApi.cuCtxSetCurrent(context), "cuCtxSetCurrent");
            CURRENT_CONTEXT.set(context);
        }
    }

    long handle() {
        return handle;
    }

    /** Waits until all is done. */
    void await() {
        Calls.driver(DriverApi.cuStreamSynchronize(handle), "cuStreamSynchronize");
    }

    /** Whether all is done. */
    boolean isIdle() {
        enterContext();
        int result = DriverApi.cuStreamQuery(handle);
        if (result != DriverApi.NOT_READY) {
            Calls.driver(result, "cuStreamQuery");
        }
        return result == DriverApi.SUCCESS;
    }

    void toDevice(long target, long source, long bytes) {
        Calls.driver(DriverApi.cuMemcpyHtoDAsync_v2(target, source, bytes, handle), "cuMemcpyHtoDAsync");
    }

    void toHost(long target, long source, long bytes) {
        Calls.driver(DriverApi.cuMemcpyDtoHAsync_v2(target, source, bytes, handle), "cuMemcpyDtoHAsync");
    }

    void beginRecording() {
        Calls.driver(DriverApi.cuStreamBeginCapture_v2(handle, DriverApi.RELAXED_CAPTURE), "cuStreamBeginCapture");
        recording = true;
    }

    /** The graph of what was asked for since {@link #beginRecording}. */
    long endRecording() {
        recording = false;
        long[] graph = new long[1];
        Calls.driver(DriverApi.cuStreamEndCapture(handle, graph), "cuStreamEndCapture");
        return graph[0];
    }

    /** Runs what {@code executable} was made of. */
    void run(long executable) {
        Calls.driver(DriverApi.cuGraphLaunch(executable, handle), "cuGraphLaunch");
    }

    // ---- launches: arguments in their order, then launch

    Stream pass(long value) {
        values.putLong(8 * count++, value);
        return this;
    }

    Stream pass(int value) {
        values.putInt(8 * count++, value);
        return this;
    }

    Stream pass(float value) {
        values.putFloat(8 * count++, value);
        return this;
    }

    /** Starts {@code kernel} with the arguments passed since the last launch. A grid without blocks starts nothing. */
    void launch(Kernel kernel, long blocksX, int blocksY, int blocksZ, int threads, int sharedBytes) {
        count = 0;
        if (blocksX == 0 || blocksY == 0 || blocksZ == 0) {
            return;
        }
        if (recording) {
            overlapped.launch(kernel, Math.toIntExact(blocksX), blocksY, blocksZ, threads, sharedBytes, parameters);
            return;
        }
        Calls.driver(
                DriverApi.cuLaunchKernel(
                        kernel.function(),
                        Math.toIntExact(blocksX),
                        blocksY,
                        blocksZ,
                        threads,
                        1,
                        1,
                        sharedBytes,
                        handle,
                        parameters,
                        0),
                kernel.name());
    }

    void launch(Kernel kernel, long blocks, int threads) {
        launch(kernel, blocks, 1, 1, threads, 0);
    }
}
