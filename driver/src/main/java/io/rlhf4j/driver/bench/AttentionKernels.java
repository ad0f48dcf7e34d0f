package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Attention with 12 heads of 64: over 4 sequences of 256 tokens, and of a decoding step of 8 sequences over 320. */
final class AttentionKernels {
    private static final int HEADS = 12;
    private static final int HEAD_DIM = 64;
    private static final int WIDTH = HEADS * HEAD_DIM;
    private static final AttentionSpec SPEC = new AttentionSpec(HEADS, HEADS, HEAD_DIM, 0.125f, 0, 0f, null);
    private static final int SEQUENCES = 4;
    private static final int LENGTH = 256;
    private static final int[] STARTS =
            IntStream.rangeClosed(0, SEQUENCES).map(i -> i * LENGTH).toArray();
    /** Scores that causal attention needs, of one head. */
    private static final double PAIRS = SEQUENCES * 0.5 * LENGTH * (LENGTH + 1);

    private static final int DECODED = 8;
    private static final int CACHED = 320;
    private static final int BLOCK = 16;

    private AttentionKernels() {}

    static List<Function<KernelOperands, Kernel>> all() {
        return List.of(AttentionKernels::forward, AttentionKernels::backward, AttentionKernels::decoding);
    }

    private static Kernel forward(KernelOperands operands) {
        Backend backend = operands.backend();
        int tokens = SEQUENCES * LENGTH;
        Tensor qkv = operands.make(tokens, 3 * WIDTH);
        Tensor out = operands.make(tokens, WIDTH);
        Tensor logSumExp = operands.make(DType.FP32, HEADS, tokens);
        return new Kernel(
                "attention",
                "%dx%dx%d".formatted(SEQUENCES, LENGTH, WIDTH),
                4 * PAIRS * WIDTH,
                KernelOperands.bytes(qkv, out),
                () -> backend.attention(SPEC, part(qkv, 0), part(qkv, 1), part(qkv, 2), STARTS, out, logSumExp));
    }

    /** Four products need to be; the scores, which are computed again, are not counted. */
    private static Kernel backward(KernelOperands operands) {
        Backend backend = operands.backend();
        int tokens = SEQUENCES * LENGTH;
        Tensor qkv = operands.make(tokens, 3 * WIDTH);
        Tensor out = operands.make(tokens, WIDTH);
        Tensor logSumExp = operands.make(DType.FP32, HEADS, tokens);
        Tensor dOut = operands.make(tokens, WIDTH);
        Tensor dQkv = operands.make(tokens, 3 * WIDTH);
        backend.attention(SPEC, part(qkv, 0), part(qkv, 1), part(qkv, 2), STARTS, out, logSumExp);
        return new Kernel(
                "attention_backward",
                "%dx%dx%d".formatted(SEQUENCES, LENGTH, WIDTH),
                8 * PAIRS * WIDTH,
                KernelOperands.bytes(qkv, out, dOut, dQkv),
                () -> backend.attentionBackward(
                        SPEC,
                        part(qkv, 0),
                        part(qkv, 1),
                        part(qkv, 2),
                        STARTS,
                        out,
                        logSumExp,
                        dOut,
                        part(dQkv, 0),
                        part(dQkv, 1),
                        part(dQkv, 2)));
    }

    private static Kernel decoding(KernelOperands operands) {
        Backend backend = operands.backend();
        int blocks = CACHED / BLOCK;
        Tensor q = operands.make(DECODED, WIDTH);
        Tensor keys = operands.make(DECODED * CACHED, WIDTH);
        Tensor values = operands.make(DECODED * CACHED, WIDTH);
        Tensor out = operands.make(DECODED, WIDTH);
        int[][] places = IntStream.range(0, DECODED)
                .mapToObj(sequence -> IntStream.range(sequence * blocks, (sequence + 1) * blocks)
                        .toArray())
                .toArray(int[][]::new);
        int[] lengths = new int[DECODED];
        Arrays.fill(lengths, CACHED);
        int[] starts = IntStream.rangeClosed(0, DECODED).toArray();
        CachedTokens tokens = new CachedTokens(places, BLOCK, lengths, starts);
        return new Kernel(
                "decoding_attention",
                "%dx%dx%d".formatted(DECODED, CACHED, WIDTH),
                4.0 * DECODED * CACHED * WIDTH,
                KernelOperands.bytes(keys, values),
                () -> backend.cachedAttention(SPEC, q, keys, values, tokens, out));
    }

    private static Tensor part(Tensor qkv, int index) {
        return qkv.columns(index * WIDTH, (index + 1) * WIDTH);
    }
}
