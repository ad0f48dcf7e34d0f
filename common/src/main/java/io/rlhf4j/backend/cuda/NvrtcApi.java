package io.rlhf4j.backend.cuda;

/** The calls into NVRTC, the compiler of CUDA C at run time, under their own names. */
final class NvrtcApi {
    private NvrtcApi() {}

    static native int nvrtcVersion(int[] major, int[] minor);

    static native int nvrtcGetNumSupportedArchs(int[] count);

    static native int nvrtcGetSupportedArchs(int[] architectures);

    static native int nvrtcCreateProgram(
            long[] program, String source, String name, int headers, long headerSources, long headerNames);

    /** @param options address of an array of C strings */
    static native int nvrtcCompileProgram(long program, int count, long options);

    static native int nvrtcGetProgramLogSize(long program, long[] bytes);

    static native int nvrtcGetProgramLog(long program, byte[] log);

    static native int nvrtcGetCUBINSize(long program, long[] bytes);

    static native int nvrtcGetCUBIN(long program, byte[] image);

    static native int nvrtcDestroyProgram(long[] program);
}
