package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Loader;

/** oneDNN's matrix product, by its C interface. */
final class OneDnn {
    private final String library;
    private final dnnl_engine engine = new dnnl_engine();
    private final boolean multipliesBf16;

    /** Loads the library. @throws UnsatisfiedLinkError where it has no build for this machine */
    OneDnn() {
        library = Loader.load(dnnl.class);
        check(dnnl.dnnl_engine_create(engine, dnnl.dnnl_cpu, 0), "create engine");
        int features = dnnl.dnnl_get_effective_cpu_isa();
        multipliesBf16 = (features & dnnl.dnnl_cpu_isa_avx512_core_bf16) == dnnl.dnnl_cpu_isa_avx512_core_bf16
                || (features & dnnl.dnnl_cpu_isa_avx2_vnni_2) == dnnl.dnnl_cpu_isa_avx2_vnni_2;
    }

    /** Path of the loaded library. */
    String library() {
        return library;
    }

    /** Whether the processor multiplies bf16 itself; otherwise fp32 products are faster. */
    boolean multipliesBf16() {
        return multipliesBf16;
    }

    /** Version and the instruction set it found, for reports. */
    String description() {
        dnnl_version_t version = dnnl.dnnl_version();
        return "oneDNN %d.%d.%d, processor features 0x%x"
                .formatted(version.major(), version.minor(), version.patch(), dnnl.dnnl_get_effective_cpu_isa());
    }

    /** A product of {@code shape} for the calling thread's OpenMP thread count. */
    Product product(ProductShape shape) {
        dnnl_memory_desc a = matrix(shape.input(), shape.m(), shape.k(), shape.strideA(), shape.transposeA());
        dnnl_memory_desc b = matrix(shape.input(), shape.k(), shape.n(), shape.strideB(), shape.transposeB());
        dnnl_memory_desc out = matrix(shape.output(), shape.m(), shape.n(), shape.strideOut(), false);
        dnnl_memory_desc bias = shape.bias() == null ? null : matrix(shape.bias(), 1, shape.n(), shape.n(), false);
        dnnl_primitive_attr attributes = attributes(shape.add());
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        check(
                dnnl.dnnl_matmul_primitive_desc_create(description, engine, a, b, bias, out, attributes),
                "prepare product " + shape);
        dnnl_primitive primitive = new dnnl_primitive();
        check(dnnl.dnnl_primitive_create(primitive, description), "create product " + shape);
        dnnl_stream stream = new dnnl_stream();
        check(dnnl.dnnl_stream_create(stream, engine, dnnl.dnnl_stream_default_flags), "create stream");
        List<dnnl_memory> memories = new ArrayList<>(List.of(memory(a), memory(b), memory(out)));
        if (bias != null) {
            memories.add(memory(bias));
        }
        dnnl.dnnl_primitive_desc_destroy(description);
        dnnl.dnnl_primitive_attr_destroy(attributes);
        return new Product(primitive, stream, memories.toArray(new dnnl_memory[0]));
    }

    private static dnnl_memory_desc matrix(DType type, long rows, long columns, long stride, boolean transposed) {
        long[] dimensions = {rows, columns};
        long[] strides = transposed ? new long[] {1, stride} : new long[] {stride, 1};
        dnnl_memory_desc matrix = new dnnl_memory_desc();
        int code = type == DType.BF16 ? dnnl.dnnl_bf16 : dnnl.dnnl_f32;
        check(dnnl.dnnl_memory_desc_create_with_strides(matrix, 2, dimensions, code, strides), "describe matrix");
        return matrix;
    }

    private dnnl_memory memory(dnnl_memory_desc description) {
        dnnl_memory memory = new dnnl_memory();
        check(dnnl.dnnl_memory_create(memory, description, engine, null), "create memory");
        dnnl.dnnl_memory_desc_destroy(description);
        return memory;
    }

    private static dnnl_primitive_attr attributes(boolean add) {
        dnnl_primitive_attr attributes = new dnnl_primitive_attr();
        check(dnnl.dnnl_primitive_attr_create(attributes), "create attributes");
        if (add) {
            dnnl_post_ops after = new dnnl_post_ops();
            check(dnnl.dnnl_post_ops_create(after), "create post-operations");
            check(dnnl.dnnl_post_ops_append_sum(after, 1f, 0, dnnl.dnnl_data_type_undef), "append sum");
            check(dnnl.dnnl_primitive_attr_set_post_ops(attributes, after), "set post-operations");
            dnnl.dnnl_post_ops_destroy(after);
        }
        return attributes;
    }

    static void check(int status, String action) {
        if (status != dnnl.dnnl_success) {
            throw new IllegalStateException("oneDNN could not " + action + ": status " + status);
        }
    }
}
