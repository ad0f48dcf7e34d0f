package io.rlhf4j.backend.cuda;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A GPU as the driver sees it.
 *
 * @param handle the driver's
 * @param index its number, from 0
 * @param uuid {@code GPU-xxxxxxxx-xxxx-...}, as nvidia-smi prints it
 * @param name its maker's name
 * @param major first part of its compute capability
 * @param minor second part
 */
record Device(int handle, int index, String uuid, String name, int major, int minor) {
    /** Ampere, the first with bf16 in its tensor cores. */
    private static final int OLDEST_MAJOR = 8;

    /** Why there is none, in one clause; empty when there is one. {@link Libraries#driverMissing} has to be empty. */
    static Optional<String> noneBecause() {
        int result = DriverApi.cuInit(0);
        if (result != DriverApi.SUCCESS) {
            return Optional.of("the NVIDIA driver does not start: " + Calls.describe(result));
        }
        int[] version = new int[1];
        Calls.driver(DriverApi.cuDriverGetVersion(version), "cuDriverGetVersion");
        if (version[0] < 12_000) {
            return Optional.of("the NVIDIA driver knows CUDA %d.%d, and 12.0 is needed; update it"
                    .formatted(version[0] / 1000, version[0] % 1000 / 10));
        }
        return all().isEmpty() ? Optional.of("the NVIDIA driver shows no GPU") : Optional.empty();
    }

    /** Why this backend cannot compute on it, in one clause. */
    Optional<String> unusableBecause() {
        return major >= OLDEST_MAJOR
                ? Optional.empty()
                : Optional.of(
                        ("GPU %d (%s) has compute capability %d.%d, and 8.0 (Ampere) or newer is needed; ND4J's CUDA"
                                        + " backend drives older ones (-Pcuda)")
                                .formatted(index, name, major, minor));
    }

    static List<Device> all() {
        int[] count = new int[1];
        Calls.driver(DriverApi.cuDeviceGetCount(count), "cuDeviceGetCount");
        List<Device> devices = new ArrayList<>();
        for (int index = 0; index < count[0]; index++) {
            devices.add(of(index));
        }
        return devices;
    }

    private static Device of(int index) {
        int[] handle = new int[1];
        Calls.driver(DriverApi.cuDeviceGet(handle, index), "cuDeviceGet");
        byte[] name = new byte[256];
        Calls.driver(DriverApi.cuDeviceGetName(name, name.length, handle[0]), "cuDeviceGetName");
        byte[] uuid = new byte[16];
        Calls.driver(DriverApi.cuDeviceGetUuid_v2(uuid, handle[0]), "cuDeviceGetUuid");
        return new Device(
                handle[0],
                index,
                uuid(uuid),
                new String(name, StandardCharsets.UTF_8).split("\0", 2)[0],
                attribute(DriverApi.COMPUTE_CAPABILITY_MAJOR, handle[0]),
                attribute(DriverApi.COMPUTE_CAPABILITY_MINOR, handle[0]));
    }

    private static String uuid(byte... bytes) {
        String hex = HexFormat.of().formatHex(bytes);
        return "GPU-%s-%s-%s-%s-%s"
                .formatted(
                        hex.substring(0, 8),
                        hex.substring(8, 12),
                        hex.substring(12, 16),
                        hex.substring(16, 20),
                        hex.substring(20));
    }

    private static int attribute(int attribute, int handle) {
        int[] value = new int[1];
        Calls.driver(DriverApi.cuDeviceGetAttribute(value, attribute, handle), "cuDeviceGetAttribute");
        return value[0];
    }

    /** Its name and compute capability. */
    String description() {
        return "%s, compute capability %d.%d".formatted(name, major, minor);
    }

    /** {@code 90} for compute capability 9.0. */
    int architecture() {
        return 10 * major + minor;
    }

    int multiprocessors() {
        return attribute(DriverApi.MULTIPROCESSORS, handle);
    }

    /** The most bytes of shared memory that a block can ask for. */
    int sharedBytes() {
        return attribute(DriverApi.MOST_SHARED_BYTES, handle);
    }

    /**
     * The device at an address as Spark gives it: a number or a UUID; the first where none is given.
     *
     * @throws Rlhf4jException of kind CLUSTER where there is no such device, or it is too old
     */
    static Device at(Optional<String> address) {
        List<Device> devices = all();
        Device device = devices.stream()
                .filter(candidate -> address.isEmpty() || candidate.isAt(address.get()))
                .findFirst()
                .orElseThrow(() -> new Rlhf4jException(
                        ErrorKind.CLUSTER,
                        ("there is no GPU at the address '%s' that Spark gave; the driver shows %s; does the discovery script"
                                        + " print the numbers or UUIDs that nvidia-smi shows inside of the executor's container?")
                                .formatted(
                                        address.orElse(""),
                                        devices.stream()
                                                .map(candidate -> candidate.index + " (" + candidate.uuid + ")")
                                                .toList())));
        Optional<String> obstacle = device.unusableBecause();
        if (obstacle.isPresent()) {
            throw new Rlhf4jException(ErrorKind.CLUSTER, "backend 'cuda' cannot run here: " + obstacle.get());
        }
        return device;
    }

    private boolean isAt(String address) {
        return address.equals(Integer.toString(index)) || address.equalsIgnoreCase(uuid);
    }
}
