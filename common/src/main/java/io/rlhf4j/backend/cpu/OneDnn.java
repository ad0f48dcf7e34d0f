package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerPointer;

/** oneDNN's matrix product, by its C interface. */
final class OneDnn {
    /** Generated code that oneDNN keeps for whoever asks for the same again; half a megabyte each. */
    private static final int KEPT_CODE = 128;

    private static final int FEW_ROWS = 16;

    private final String library;
    private final dnnl_engine engine = new dnnl_engine();
    private final boolean multipliesBf16;
    private final ProductRules rules;
    private final boolean packsBf16;
    private final Map<DType, Boolean> anySizes = new EnumMap<>(DType.class);
    private final Map<DType, Boolean> anyRows = new EnumMap<>(DType.class);
    /** To ask for a layout takes a tenth of a millisecond, and a model has hundreds of weights of a few sizes. */
    private final Map<PackedSize, Packing> packings = new ConcurrentHashMap<>();

    private record PackedSize(DType type, int outputs, int inputs) {}

    private record Packing(long bytes, int block) {}

    /** Loads the library. @throws UnsatisfiedLinkError where it has no build for this machine */
    OneDnn() {
        library = Loader.load(dnnl.class);
        check(dnnl.dnnl_engine_create(engine, dnnl.dnnl_cpu, 0), "create engine");
        check(dnnl.dnnl_set_primitive_cache_capacity(KEPT_CODE), "limit the code that is kept");
        int features = dnnl.dnnl_get_effective_cpu_isa();
        multipliesBf16 = (features & dnnl.dnnl_cpu_isa_avx512_core_bf16) == dnnl.dnnl_cpu_isa_avx512_core_bf16
                || (features & dnnl.dnnl_cpu_isa_avx2_vnni_2) == dnnl.dnnl_cpu_isa_avx2_vnni_2;
        for (DType type : DType.values()) {
            anySizes.put(type, hasCodeForAnySizes(type));
            anyRows.put(type, hasCodeForAnyRows(type));
        }
        boolean wideVectors = (features & dnnl.dnnl_cpu_isa_avx512_core) == dnnl.dnnl_cpu_isa_avx512_core;
        rules = new ProductRules(!wideVectors && anySizes.get(DType.FP32));
        packsBf16 = multipliesBf16 || hasCodeForPackedBf16();
    }

    /** Path of the loaded library. */
    String library() {
        return library;
    }

    /** Whether the processor multiplies bf16 itself; otherwise fp32 products are faster. */
    boolean multipliesBf16() {
        return multipliesBf16;
    }

    /** How products are asked for. */
    ProductRules rules() {
        return rules;
    }

    /** Whether products with packed weights of this type have fast code. */
    boolean packs(DType type) {
        return type == DType.FP32 || packsBf16;
    }

    /** The type of the rows that are multiplied by packed weights: bf16 weights can be made fp32 inside the product. */
    DType typeBesidePacked(DType weights) {
        return multipliesBf16 ? weights : DType.FP32;
    }

    /** Version and the instruction set it found, for reports. */
    String description() {
        dnnl_version_t version = dnnl.dnnl_version();
        return "oneDNN %d.%d.%d, processor features 0x%x"
                .formatted(version.major(), version.minor(), version.patch(), dnnl.dnnl_get_effective_cpu_isa());
    }

    /** A product of {@code shape} for the calling thread's OpenMP thread count. */
    Product product(ProductShape shape) {
        if (shape.packed()) {
            return product(shape, !anyRows.get(shape.input()));
        }
        return product(shape, rules.ownCode(shape) || !anySizes.get(shape.input()));
    }

    /** A product by code for exactly this shape, or by that for any sizes. */
    Product product(ProductShape shape, boolean exact) {
        dnnl_primitive_desc description = description(shape, exact);
        dnnl_primitive primitive = new dnnl_primitive();
        check(dnnl.dnnl_primitive_create(primitive, description), "create product " + shape);
        dnnl.dnnl_primitive_desc_destroy(description);
        dnnl_stream stream = new dnnl_stream();
        check(dnnl.dnnl_stream_create(stream, engine, dnnl.dnnl_stream_default_flags), "create stream");
        List<dnnl_memory> memories = new ArrayList<>();
        for (dnnl_memory_desc matrix : matrices(shape, true)) {
            memories.add(memory(matrix));
        }
        return new Product(primitive, stream, memories.toArray(new dnnl_memory[0]));
    }

    private dnnl_primitive_desc description(ProductShape shape, boolean exact) {
        List<dnnl_memory_desc> matrices = matrices(shape, exact);
        dnnl_primitive_attr attributes = attributes(shape.add());
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        check(
                dnnl.dnnl_matmul_primitive_desc_create(
                        description,
                        engine,
                        matrices.get(0),
                        matrices.get(1),
                        shape.bias() == null ? null : matrices.get(3),
                        matrices.get(2),
                        attributes),
                "prepare product " + shape);
        matrices.forEach(dnnl::dnnl_memory_desc_destroy);
        dnnl.dnnl_primitive_attr_destroy(attributes);
        return description;
    }

    /** Whether sizes may be left open in products of this type without falling back to a plain loop. */
    private boolean hasCodeForAnySizes(DType type) {
        if (type == DType.BF16 && !multipliesBf16) {
            return false;
        }
        return way(ProductShape.of(2, 2, 2, type, type, false, false, 2, 2, 2, false), false)
                .startsWith("gemm:jit");
    }

    /** What oneDNN calls its way to multiply exactly this shape, or one with its sizes left open. */
    private String way(ProductShape shape, boolean exact) {
        dnnl_primitive_desc description = description(shape, exact);
        try (PointerPointer<BytePointer> name = new PointerPointer<>(1)) {
            check(
                    dnnl.dnnl_primitive_desc_query(description, dnnl.dnnl_query_impl_info_str, 0, name),
                    "name its way to multiply");
            return name.get(BytePointer.class, 0).getString();
        } finally {
            dnnl.dnnl_primitive_desc_destroy(description);
        }
    }

    /** Whether the number of rows may be left open in products with packed weights of this type. */
    private boolean hasCodeForAnyRows(DType type) {
        if (type == DType.BF16 && !multipliesBf16) {
            return false;
        }
        return way(ProductShape.ofPacked(16, 64, 64, type, 64, 64), false).startsWith("brg");
    }

    /** Whether fp32 rows can be multiplied by packed bf16 weights without a plain loop. */
    private boolean hasCodeForPackedBf16() {
        return way(ProductShape.ofPacked(FEW_ROWS, 64, 64, DType.BF16, 64, 64), true)
                .startsWith("brg");
    }

    /** Left factor, right factor, result and, where there is one, bias; with their sizes, or with those left open. */
    private List<dnnl_memory_desc> matrices(ProductShape shape, boolean exact) {
        if (shape.packed()) {
            long rows = exact ? shape.m() : dnnl.DNNL_RUNTIME_DIM_VAL;
            return List.of(
                    matrix(typeBesidePacked(shape.input()), rows, shape.k(), shape.strideA(), false),
                    packedLayout(shape.input(), shape.n(), shape.k()),
                    matrix(shape.output(), rows, shape.n(), shape.strideOut(), false));
        }
        long m = exact ? shape.m() : dnnl.DNNL_RUNTIME_DIM_VAL;
        long n = exact ? shape.n() : dnnl.DNNL_RUNTIME_DIM_VAL;
        long k = exact ? shape.k() : dnnl.DNNL_RUNTIME_DIM_VAL;
        List<dnnl_memory_desc> matrices = new ArrayList<>();
        matrices.add(matrix(shape.input(), m, k, exact ? shape.strideA() : m, shape.transposeA()));
        matrices.add(matrix(shape.input(), k, n, exact ? shape.strideB() : n, shape.transposeB()));
        matrices.add(matrix(shape.output(), m, n, exact ? shape.strideOut() : n, false));
        if (shape.bias() != null) {
            matrices.add(matrix(shape.bias(), 1, n, n, false));
        }
        return matrices;
    }

    /** Bytes of a weight [outputs, inputs] in the layout that products read fastest. */
    long packedBytes(DType type, int outputs, int inputs) {
        return packing(type, outputs, inputs).bytes();
    }

    /** Outputs of a block where the layout is the one of {@link Bf16Packing}; 0 where it is another one. */
    int packedBlock(DType type, int outputs, int inputs) {
        return packing(type, outputs, inputs).block();
    }

    private Packing packing(DType type, int outputs, int inputs) {
        return packings.computeIfAbsent(new PackedSize(type, outputs, inputs), size -> {
            dnnl_memory_desc layout = packedLayout(type, outputs, inputs);
            Packing packing = new Packing(dnnl.dnnl_memory_desc_get_size(layout), Bf16Packing.block(layout));
            dnnl.dnnl_memory_desc_destroy(layout);
            return packing;
        });
    }

    /** Puts a weight [outputs, inputs], whose rows are {@code stride} elements apart, into that layout. */
    void pack(DType type, int outputs, int inputs, long stride, long from, long to) {
        dnnl_memory_desc source = matrix(type, inputs, outputs, stride, true);
        dnnl_memory_desc target = packedLayout(type, outputs, inputs);
        dnnl_primitive_attr attributes = attributes(false);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        check(
                dnnl.dnnl_reorder_primitive_desc_create(description, source, engine, target, engine, attributes),
                "prepare packing");
        dnnl.dnnl_primitive_attr_destroy(attributes);
        dnnl_primitive primitive = new dnnl_primitive();
        check(dnnl.dnnl_primitive_create(primitive, description), "create packing");
        dnnl.dnnl_primitive_desc_destroy(description);
        dnnl_stream stream = new dnnl_stream();
        check(dnnl.dnnl_stream_create(stream, engine, dnnl.dnnl_stream_default_flags), "create stream");
        dnnl_memory unpacked = memory(source);
        dnnl_memory packed = memory(target);
        check(dnnl.dnnl_memory_set_data_handle(unpacked, new NativeMemory.Address(from)), "set weight");
        check(dnnl.dnnl_memory_set_data_handle(packed, new NativeMemory.Address(to)), "set packed weight");
        try (dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(2)) {
            arguments.position(0).arg(dnnl.DNNL_ARG_FROM).memory(unpacked);
            arguments.position(1).arg(dnnl.DNNL_ARG_TO).memory(packed);
            check(dnnl.dnnl_primitive_execute(primitive, stream, 2, arguments.position(0)), "pack a weight");
        } finally {
            List.of(unpacked, packed).forEach(dnnl::dnnl_memory_destroy);
            dnnl.dnnl_stream_destroy(stream);
            dnnl.dnnl_primitive_destroy(primitive);
        }
    }

    /** The layout that oneDNN chooses for products of few rows. */
    private dnnl_memory_desc packedLayout(DType type, long outputs, long inputs) {
        dnnl_memory_desc rows = matrix(typeBesidePacked(type), FEW_ROWS, inputs, inputs, false);
        dnnl_memory_desc result = matrix(DType.FP32, FEW_ROWS, outputs, outputs, false);
        dnnl_memory_desc open = new dnnl_memory_desc();
        check(
                dnnl.dnnl_memory_desc_create_with_tag(
                        open, 2, new long[] {inputs, outputs}, code(type), dnnl.dnnl_format_tag_any),
                "describe weight");
        dnnl_primitive_attr attributes = attributes(false);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        check(
                dnnl.dnnl_matmul_primitive_desc_create(description, engine, rows, open, null, result, attributes),
                "choose a layout");
        dnnl_memory_desc layout = new dnnl_memory_desc();
        check(
                dnnl.dnnl_memory_desc_clone(
                        layout, dnnl.dnnl_primitive_desc_query_md(description, dnnl.dnnl_query_weights_md, 0)),
                "keep a layout");
        dnnl.dnnl_primitive_desc_destroy(description);
        dnnl.dnnl_primitive_attr_destroy(attributes);
        List.of(rows, result, open).forEach(dnnl::dnnl_memory_desc_destroy);
        return layout;
    }

    private static int code(DType type) {
        return type == DType.BF16 ? dnnl.dnnl_bf16 : dnnl.dnnl_f32;
    }

    private static dnnl_memory_desc matrix(DType type, long rows, long columns, long stride, boolean transposed) {
        long[] dimensions = {rows, columns};
        long[] strides = transposed ? new long[] {1, stride} : new long[] {stride, 1};
        dnnl_memory_desc matrix = new dnnl_memory_desc();
        check(dnnl.dnnl_memory_desc_create_with_strides(matrix, 2, dimensions, code(type), strides), "describe matrix");
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
