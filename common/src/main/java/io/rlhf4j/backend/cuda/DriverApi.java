package io.rlhf4j.backend.cuda;

/** The calls into NVIDIA's driver, libcuda, under their own names. Addresses and handles are longs. */
final class DriverApi {
    static final int SUCCESS = 0;
    static final int OUT_OF_MEMORY = 2;
    static final int NOT_READY = 600;
    static final int COMPUTE_CAPABILITY_MAJOR = 75;
    static final int COMPUTE_CAPABILITY_MINOR = 76;
    static final int MULTIPROCESSORS = 16;
    static final int MOST_SHARED_BYTES = 97;
    static final int FUNCTION_SHARED_BYTES = 8;
    static final int NON_BLOCKING_STREAM = 1;
    static final int RELAXED_CAPTURE = 2;
    /** The kind of a launch's attribute that lets it begin while the launch before still runs. */
    static final int PROGRAMMATIC_SERIALIZATION = 6;

    private DriverApi() {}

    static native int cuInit(int flags);

    static native int cuDriverGetVersion(int[] version);

    static native int cuDeviceGetCount(int[] count);

    static native int cuDeviceGet(int[] device, int ordinal);

    static native int cuDeviceGetName(byte[] name, int length, int device);

    static native int cuDeviceGetUuid_v2(byte[] uuid, int device);

    static native int cuDeviceGetAttribute(int[] value, int attribute, int device);

    static native int cuDevicePrimaryCtxRetain(long[] context, int device);

    static native int cuCtxSetCurrent(long context);

    static native int cuMemGetInfo_v2(long[] free, long[] total);

    static native int cuMemAlloc_v2(long[] address, long bytes);

    static native int cuMemFree_v2(long address);

    static native int cuMemAllocHost_v2(long[] address, long bytes);

    static native int cuMemcpyHtoDAsync_v2(long target, long source, long bytes, long stream);

    static native int cuMemcpyDtoHAsync_v2(long target, long source, long bytes, long stream);

    static native int cuStreamCreate(long[] stream, int flags);

    static native int cuStreamSynchronize(long stream);

    static native int cuStreamQuery(long stream);

    static native int cuStreamBeginCapture_v2(long stream, int mode);

    static native int cuStreamEndCapture(long stream, long[] graph);

    static native int cuGraphInstantiateWithFlags(long[] executable, long graph, long flags);

    static native int cuGraphLaunch(long executable, long stream);

    static native int cuGraphExecDestroy(long executable);

    static native int cuGraphDestroy(long graph);

    static native int cuModuleLoadData(long[] module, byte[] image);

    static native int cuModuleGetFunction(long[] function, long module, String name);

    static native int cuFuncSetAttribute(long function, int attribute, int value);

    static native int cuLaunchKernel(
            long function,
            int gridX,
            int gridY,
            int gridZ,
            int threadsX,
            int threadsY,
            int threadsZ,
            int sharedBytes,
            long stream,
            long parameters,
            long extra);

    static native int cuLaunchKernelEx(long launch, long function, long parameters, long extra);

    static native int cuGetErrorName(int error, long[] text);

    static native int cuGetErrorString(int error, long[] text);
}
