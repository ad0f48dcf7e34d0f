package io.rlhf4j.backend.cuda;

import com.sun.jna.Pointer;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;

/** Looks at what a call into NVIDIA's libraries returned: nothing that went wrong stays unseen. */
final class Calls {
    private Calls() {}

    /** @throws Rlhf4jException of kind RETRYABLE where a call of the driver failed */
    static void driver(int result, String call) {
        if (result != DriverApi.SUCCESS) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    ("the NVIDIA driver failed in %s: %s; kernels run behind the calls that start them, so the cause may"
                                    + " lie in an earlier one; dmesg and nvidia-smi tell of faults of the chip")
                            .formatted(call, describe(result)));
        }
    }

    /** @throws Rlhf4jException of kind RETRYABLE where a call of cuBLAS or NVRTC failed */
    static void library(int result, String call) {
        if (result != 0) {
            throw new Rlhf4jException(ErrorKind.RETRYABLE, "%s failed with status %d".formatted(call, result));
        }
    }

    /**
     * Looks at what a call of NCCL returned.
     *
     * @param communicator whose last error is told too; 0 where there is none
     * @throws Rlhf4jException of kind RETRYABLE where it failed
     */
    static void nccl(int result, String call, long communicator) {
        if (result != NcclApi.SUCCESS) {
            long detail = NcclApi.ncclGetLastError(communicator);
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "NCCL failed in %s: %s (%s)"
                            .formatted(
                                    call,
                                    new Pointer(NcclApi.ncclGetErrorString(result)).getString(0),
                                    detail == 0
                                            ? ""
                                            : new Pointer(detail).getString(0).strip()));
        }
    }

    /** The driver's name and sentence for an error. */
    static String describe(int error) {
        return "%s (%s)".formatted(text(error, true), text(error, false));
    }

    private static String text(int error, boolean name) {
        long[] text = new long[1];
        int result = name ? DriverApi.cuGetErrorName(error, text) : DriverApi.cuGetErrorString(error, text);
        return result == DriverApi.SUCCESS && text[0] != 0 ? new Pointer(text[0]).getString(0) : "error " + error;
    }
}
