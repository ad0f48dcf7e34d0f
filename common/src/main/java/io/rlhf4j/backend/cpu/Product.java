package io.rlhf4j.backend.cpu;

import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;

/** A oneDNN matrix product of one shape, ready to run on any places in memory. For one thread at a time. */
final class Product implements AutoCloseable {
    private final dnnl_primitive primitive;
    private final dnnl_stream stream;
    private final dnnl_memory[] memories;
    private final dnnl_exec_arg_t arguments;
    private final NativeMemory.Address place = new NativeMemory.Address(0);

    /**
     * @param memories of the left factor, the right factor, the result and, where the shape has one, the bias
     */
    Product(dnnl_primitive primitive, dnnl_stream stream, dnnl_memory... memories) {
        this.primitive = primitive;
        this.stream = stream;
        this.memories = memories;
        int[] roles = {dnnl.DNNL_ARG_SRC, dnnl.DNNL_ARG_WEIGHTS, dnnl.DNNL_ARG_DST, dnnl.DNNL_ARG_BIAS};
        this.arguments = new dnnl_exec_arg_t(memories.length);
        for (int i = 0; i < memories.length; i++) {
            arguments.position(i).arg(roles[i]).memory(memories[i]);
        }
        arguments.position(0);
    }

    /** Multiplies the matrices at these addresses. */
    void run(long a, long b, long out) {
        OneDnn.check(dnnl.dnnl_memory_set_data_handle(memories[0], place.at(a)), "set matrix");
        OneDnn.check(dnnl.dnnl_memory_set_data_handle(memories[1], place.at(b)), "set matrix");
        OneDnn.check(dnnl.dnnl_memory_set_data_handle(memories[2], place.at(out)), "set matrix");
        OneDnn.check(dnnl.dnnl_primitive_execute(primitive, stream, memories.length, arguments), "multiply");
    }

    /** Multiplies the matrices at these addresses and adds a bias. */
    void run(long a, long b, long bias, long out) {
        OneDnn.check(dnnl.dnnl_memory_set_data_handle(memories[3], place.at(bias)), "set bias");
        run(a, b, out);
    }

    @Override
    public void close() {
        for (dnnl_memory memory : memories) {
            dnnl.dnnl_memory_destroy(memory);
        }
        dnnl.dnnl_primitive_destroy(primitive);
        dnnl.dnnl_stream_destroy(stream);
        arguments.deallocate();
    }
}
