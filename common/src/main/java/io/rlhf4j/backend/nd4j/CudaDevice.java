package io.rlhf4j.backend.nd4j;

import java.util.Optional;
import org.nd4j.nativeblas.NativeOps;

/**
 * A GPU as ND4J sees it.
 *
 * @param index CUDA's number of the device
 * @param name its maker's name
 * @param major first part of its compute capability
 * @param minor second part
 */
record CudaDevice(int index, String name, int major, int minor) {
    static CudaDevice of(NativeOps natives, int index) {
        return new CudaDevice(
                index, natives.getDeviceName(index), natives.getDeviceMajor(index), natives.getDeviceMinor(index));
    }

    /**
     * Why ND4J cannot compute on it, in one sentence. Its CUDA library holds machine code for compute capability 3.7 to
     * 8.6 and no PTX that a newer driver could translate; code for 8.6 also runs on 8.9, the same major version.
     */
    Optional<String> undrivableBecause() {
        boolean old = major < 3 || major == 3 && minor < 7;
        if (!old && major < 9) {
            return Optional.empty();
        }
        return Optional.of(("GPU %d (%s) has compute capability %d.%d, and ND4J's last CUDA library drives 3.7 to 8.9,"
                        + " Kepler to Ada: take the cpu backend here, or a GPU of that range")
                .formatted(index, name, major, minor));
    }
}
