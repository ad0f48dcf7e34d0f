package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * What is bound by memory: a plain copy, norms, activations, AdamW and the choice of tokens; and the loss of the language
 * head. There are so many rows that no cache holds them.
 */
final class RowKernels {
    private static final int ROWS = 16_384;
    private static final int HIDDEN = ProductKernels.HIDDEN;
    private static final int VOCABULARY = ProductKernels.VOCABULARY;
    private static final int LOSS_ROWS = 256;
    private static final int DRAWN = 32;
    private static final int PARAMETERS = 1 << 24;

    private RowKernels() {}

    static List<Function<KernelOperands, Kernel>> all() {
        return List.of(
                RowKernels::copy,
                RowKernels::layerNorm,
                RowKernels::layerNormBackward,
                RowKernels::rmsNorm,
                RowKernels::rmsNormBackward,
                RowKernels::gelu,
                RowKernels::geluBackward,
                RowKernels::siluGate,
                RowKernels::siluGateBackward,
                RowKernels::headLoss,
                RowKernels::adamW,
                RowKernels::draw);
    }

    private static Kernel copy(KernelOperands operands) {
        Tensor x = operands.make(ROWS, HIDDEN);
        Tensor y = operands.make(ROWS, HIDDEN);
        return bound("copy", ROWS + "x" + HIDDEN, () -> operands.backend().copy(x, y), x, y);
    }

    private static Kernel layerNorm(KernelOperands operands) {
        Tensor x = operands.make(ROWS, HIDDEN);
        Tensor y = operands.make(ROWS, HIDDEN);
        Tensor weight = operands.make(HIDDEN);
        Tensor statistics = operands.make(DType.FP32, ROWS, 2);
        Runnable work = () -> operands.backend().layerNorm(x, weight, weight, 1e-5f, y, statistics);
        return bound("layer_norm", ROWS + "x" + HIDDEN, work, x, y);
    }

    private static Kernel layerNormBackward(KernelOperands operands) {
        Tensor x = operands.make(ROWS, HIDDEN);
        Tensor dy = operands.make(ROWS, HIDDEN);
        Tensor dx = operands.make(ROWS, HIDDEN);
        Tensor weight = operands.make(HIDDEN);
        Tensor dWeight = operands.make(HIDDEN);
        Tensor dBias = operands.make(HIDDEN);
        Tensor statistics = operands.make(DType.FP32, ROWS, 2);
        Runnable work = () -> operands.backend().layerNormBackward(dy, x, weight, statistics, dx, dWeight, dBias);
        return bound("layer_norm_backward", ROWS + "x" + HIDDEN, work, x, dy, dx);
    }

    private static Kernel rmsNorm(KernelOperands operands) {
        Tensor x = operands.make(ROWS, HIDDEN);
        Tensor y = operands.make(ROWS, HIDDEN);
        Tensor weight = operands.make(HIDDEN);
        Tensor statistics = operands.make(DType.FP32, ROWS, 1);
        Runnable work = () -> operands.backend().rmsNorm(x, weight, 0f, 1e-5f, y, statistics);
        return bound("rms_norm", ROWS + "x" + HIDDEN, work, x, y);
    }

    private static Kernel rmsNormBackward(KernelOperands operands) {
        Tensor x = operands.make(ROWS, HIDDEN);
        Tensor dy = operands.make(ROWS, HIDDEN);
        Tensor dx = operands.make(ROWS, HIDDEN);
        Tensor weight = operands.make(HIDDEN);
        Tensor dWeight = operands.make(HIDDEN);
        Tensor statistics = operands.make(DType.FP32, ROWS, 1);
        Runnable work = () -> operands.backend().rmsNormBackward(dy, x, weight, 0f, statistics, dx, dWeight);
        return bound("rms_norm_backward", ROWS + "x" + HIDDEN, work, x, dy, dx);
    }

    private static Kernel gelu(KernelOperands operands) {
        Tensor x = operands.make(ROWS, HIDDEN);
        Tensor y = operands.make(ROWS, HIDDEN);
        return bound("gelu", ROWS + "x" + HIDDEN, () -> operands.backend().activate(Activation.GELU, x, y), x, y);
    }

    private static Kernel geluBackward(KernelOperands operands) {
        Tensor x = operands.make(ROWS, HIDDEN);
        Tensor dy = operands.make(ROWS, HIDDEN);
        Tensor dx = operands.make(ROWS, HIDDEN);
        Runnable work = () -> operands.backend().activateBackward(Activation.GELU, x, dy, dx);
        return bound("gelu_backward", ROWS + "x" + HIDDEN, work, x, dy, dx);
    }

    private static Kernel siluGate(KernelOperands operands) {
        Tensor gateUp = operands.make(ROWS, 2 * HIDDEN);
        Tensor y = operands.make(ROWS, HIDDEN);
        Runnable work = () -> operands.backend().activateGated(Activation.SILU, gateUp, y);
        return bound("silu_gate", ROWS + "x" + HIDDEN, work, gateUp, y);
    }

    private static Kernel siluGateBackward(KernelOperands operands) {
        Tensor gateUp = operands.make(ROWS, 2 * HIDDEN);
        Tensor dy = operands.make(ROWS, HIDDEN);
        Tensor dGateUp = operands.make(ROWS, 2 * HIDDEN);
        Runnable work = () -> operands.backend().activateGatedBackward(Activation.SILU, gateUp, dy, dGateUp);
        return bound("silu_gate_backward", ROWS + "x" + HIDDEN, work, gateUp, dy, dGateUp);
    }

    /** Loss and gradient of the language head: three products. */
    private static Kernel headLoss(KernelOperands operands) {
        Backend backend = operands.backend();
        Tensor hidden = operands.make(LOSS_ROWS, HIDDEN);
        Tensor dHidden = operands.make(LOSS_ROWS, HIDDEN);
        Tensor weight = operands.make(VOCABULARY, HIDDEN);
        Tensor dWeight = operands.make(VOCABULARY, HIDDEN);
        LanguageHead head = new LanguageHead(weight, null, 0f, 1f);
        int[] targets = IntStream.range(0, LOSS_ROWS).toArray();
        float[] logProbs = new float[LOSS_ROWS];
        return new Kernel(
                "head_loss",
                "%dx%dx%d".formatted(LOSS_ROWS, HIDDEN, VOCABULARY),
                6.0 * LOSS_ROWS * HIDDEN * VOCABULARY,
                KernelOperands.bytes(weight, dWeight, dWeight),
                () -> backend.tokenLogProbsWithGradient(
                        head,
                        hidden,
                        targets,
                        (index, logProb, entropy) -> -1f / LOSS_ROWS,
                        logProbs,
                        null,
                        dHidden,
                        dWeight,
                        null));
    }

    private static Kernel adamW(KernelOperands operands) {
        Tensor parameter = operands.make(DType.FP32, PARAMETERS);
        Tensor gradient = operands.make(PARAMETERS);
        Tensor moment1 = operands.make(DType.FP32, PARAMETERS);
        Tensor moment2 = operands.make(DType.FP32, PARAMETERS);
        AdamWSettings settings = new AdamWSettings(1e-5, 0.9, 0.95, 1e-8, 0, 1, 1);
        Runnable work = () -> operands.backend().adamW(settings, parameter, gradient, moment1, moment2);
        return bound(
                "adamw",
                String.valueOf(PARAMETERS),
                work,
                parameter,
                parameter,
                gradient,
                moment1,
                moment1,
                moment2,
                moment2);
    }

    private static Kernel draw(KernelOperands operands) {
        Tensor logits = operands.make(DType.FP32, DRAWN, VOCABULARY);
        int[] rows = IntStream.range(0, DRAWN).toArray();
        double[] uniforms =
                IntStream.range(0, DRAWN).mapToDouble(i -> (i + 0.5) / DRAWN).toArray();
        int[] tokens = new int[DRAWN];
        float[] logProbs = new float[DRAWN];
        Runnable work = () -> operands.backend().drawTokens(logits, 1f, rows, uniforms, tokens, logProbs);
        return bound("draw_tokens", DRAWN + "x" + VOCABULARY, work, logits);
    }

    private static Kernel bound(String name, String shape, Runnable work, Tensor... tensors) {
        return new Kernel(name, shape, 0, KernelOperands.bytes(tensors), work);
    }
}
