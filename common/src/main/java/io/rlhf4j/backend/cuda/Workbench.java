package io.rlhf4j.backend.cuda;

/**
 * What the operations of one backend share.
 *
 * @param stream in whose order they run
 * @param kernels compiled for the device
 * @param memories lends its memory
 * @param staging between arrays and device
 * @param uploads indices on the device
 * @param readAhead what recorded passes read next
 * @param multiprocessors how many the device has
 */
record Workbench(
        Stream stream,
        Kernels kernels,
        MemoryPool memories,
        HostStaging staging,
        Uploads uploads,
        ReadAhead readAhead,
        int multiprocessors) {
    static Workbench on(Device device) {
        Stream stream = new Stream(device);
        MemoryPool memories = new MemoryPool(stream);
        return new Workbench(
                stream,
                new Kernels(device),
                memories,
                new HostStaging(stream),
                new Uploads(stream, memories),
                new ReadAhead(),
                device.multiprocessors());
    }
}
