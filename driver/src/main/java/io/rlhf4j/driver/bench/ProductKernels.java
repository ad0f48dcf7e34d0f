package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The matrix products of a model of the shape opt-125m: those of 1,024 tokens, and those of generation, with a weight that
 * is laid out for it, for a few rows and for as many as a part of a prompt has.
 */
final class ProductKernels {
    static final int TOKENS = 1024;
    static final int HIDDEN = 768;
    static final int INNER = 3072;
    static final int VOCABULARY = 50272;
    private static final int[] ROWS = {1, 8, 32, 512};

    private final KernelOperands operands;
    private final Backend backend;

    ProductKernels(KernelOperands operands) {
        this.operands = operands;
        this.backend = operands.backend();
    }

    /** What makes each, one after the other: its tensors are there only while it is measured. */
    static List<Function<KernelOperands, Kernel>> all() {
        List<Function<KernelOperands, Kernel>> kernels = new ArrayList<>();
        kernels.add(with -> new ProductKernels(with).linear(HIDDEN, 3 * HIDDEN));
        kernels.add(with -> new ProductKernels(with).linear(HIDDEN, HIDDEN));
        kernels.add(with -> new ProductKernels(with).linear(HIDDEN, INNER));
        kernels.add(with -> new ProductKernels(with).linear(INNER, HIDDEN));
        kernels.add(with -> new ProductKernels(with).inputGradient());
        kernels.add(with -> new ProductKernels(with).weightGradient());
        for (int rows : ROWS) {
            kernels.add(with -> new ProductKernels(with).decoding(rows, INNER));
            kernels.add(with -> new ProductKernels(with).decodingInt8(rows, INNER));
            kernels.add(with -> new ProductKernels(with).decodingHead(rows));
        }
        return kernels;
    }

    private Kernel linear(int in, int out) {
        Tensor x = operands.make(TOKENS, in);
        Tensor weight = operands.make(out, in);
        Tensor bias = operands.make(out);
        Tensor y = operands.make(TOKENS, out);
        return product("linear", TOKENS, in, out, () -> backend.linear(x, weight, bias, y), x, weight, bias, y);
    }

    private Kernel inputGradient() {
        Tensor dy = operands.make(TOKENS, INNER);
        Tensor weight = operands.make(INNER, HIDDEN);
        Tensor dx = operands.make(TOKENS, HIDDEN);
        Runnable work = () -> backend.matmul(dy, false, weight, false, dx, false);
        return product("linear_input_gradient", TOKENS, INNER, HIDDEN, work, dy, weight, dx);
    }

    private Kernel weightGradient() {
        Tensor dy = operands.make(TOKENS, INNER);
        Tensor x = operands.make(TOKENS, HIDDEN);
        Tensor dWeight = operands.make(INNER, HIDDEN);
        Runnable work = () -> backend.matmul(dy, true, x, false, dWeight, true);
        return product("linear_weight_gradient", INNER, TOKENS, HIDDEN, work, dy, x, dWeight);
    }

    /** A weight that is laid out for decoding. */
    private Kernel decoding(int rows, int out) {
        Tensor x = operands.make(rows, HIDDEN);
        Tensor weight = operands.make(out, HIDDEN);
        Tensor packed = backend.packWeight(operands.scope(), weight);
        Tensor y = operands.make(rows, out);
        Runnable work = () -> backend.linear(x, packed, null, y);
        return product("decoding_linear", rows, HIDDEN, out, work, x, weight, y);
    }

    /** A weight that is rounded to int8: a byte for each element, and a scale for each output. */
    private Kernel decodingInt8(int rows, int out) {
        Tensor x = operands.make(rows, HIDDEN);
        Tensor rounded = backend.packInt8(operands.scope(), operands.make(out, HIDDEN));
        Tensor y = operands.make(rows, out);
        Runnable work = () -> backend.linear(x, rounded, null, y);
        double bytes = KernelOperands.bytes(x, y) + (double) out * HIDDEN + 4.0 * out;
        return new Kernel(
                "decoding_linear_int8",
                "%dx%dx%d".formatted(rows, HIDDEN, out),
                2.0 * rows * HIDDEN * out,
                bytes,
                work);
    }

    private Kernel decodingHead(int rows) {
        Tensor x = operands.make(rows, HIDDEN);
        Tensor weight = operands.make(VOCABULARY, HIDDEN);
        LanguageHead head = new LanguageHead(backend.packWeight(operands.scope(), weight), null, 0f, 1f);
        Tensor logits = operands.make(DType.FP32, rows, VOCABULARY);
        Runnable work = () -> backend.logits(head, x, logits);
        return product("decoding_head", rows, HIDDEN, VOCABULARY, work, x, weight, logits);
    }

    private static Kernel product(String name, int m, int k, int n, Runnable work, Tensor... tensors) {
        return new Kernel(name, "%dx%dx%d".formatted(m, k, n), 2.0 * m * k * n, KernelOperands.bytes(tensors), work);
    }
}
