package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Operands;
import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Storage;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/** The backend for processors, with threads of its own: a JVM can have several, one for each rank. */
public final class CpuBackend implements Backend {
    private final String description;
    private final MemoryPool memories;
    private final Transfers transfers;
    private final MatrixProducts products;
    private final Pointwise pointwise;
    private final Normalization normalization;
    private final Rotary rotary;
    private final Attention attention;
    private final AttentionBackward attentionBackward;
    private final LanguageHeadKernel languageHead;
    private final TokenDraw tokenDraw;
    private final Optimizer optimizer;

    /** @param threads that one call may use, the caller's included */
    public CpuBackend(int threads) {
        OneDnn oneDnn = new OneDnn();
        NativeCalls calls = new NativeCalls(oneDnn.library());
        memories = new MemoryPool(calls, MemoryBudget.OF_THIS_PROCESS);
        WorkerPool workers = new WorkerPool(threads, () -> new Workspace(memories, oneDnn), calls::oneThread);
        transfers = new Transfers(workers);
        products = new MatrixProducts(workers, memories, oneDnn);
        pointwise = new Pointwise(workers);
        normalization = new Normalization(workers, memories);
        rotary = new Rotary(workers);
        attention = new Attention(workers, products);
        attentionBackward = new AttentionBackward(workers, products);
        languageHead = new LanguageHeadKernel(this, workers, memories, products, transfers);
        tokenDraw = new TokenDraw(workers);
        optimizer = new Optimizer(workers);
        description = "cpu: %s, vectors of %d bits %s, bf16 products %s, %d threads"
                .formatted(
                        oneDnn.description(),
                        Lanes.FLOATS.vectorBitSize(),
                        LaneHandles.BY_ADDRESS ? "by address" : "from buffers",
                        oneDnn.multipliesBf16() ? "by the processor" : "in fp32",
                        threads);
    }

    @Override
    public String name() {
        return CpuBackendProvider.NAME;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public Storage allocate(DType type, long elements) {
        return memories.allocate(type.bytes() * elements);
    }

    @Override
    public Storage allocateOnDisk(DType type, long elements, Path folder) {
        return MappedFile.possible()
                ? MappedFile.allocate(folder, type.bytes() * elements)
                : Backend.super.allocateOnDisk(type, elements, folder);
    }

    @Override
    public void willNeed(Tensor tensor, boolean soon) {
        Rows.flat(tensor).memory.willNeed(soon);
    }

    @Override
    public void write(Tensor target, float[] source, int from) {
        transfers.write(target, source, from);
    }

    @Override
    public void read(Tensor source, float[] target, int from) {
        transfers.read(source, target, from);
    }

    @Override
    public void fill(Tensor target, float value) {
        transfers.fill(target, value);
    }

    @Override
    public void copy(Tensor source, Tensor target) {
        Operands.copy(source, target);
        transfers.copy(source, target);
    }

    @Override
    public Optional<ByteBuffer> hostBytes(Tensor tensor) {
        return Optional.of(Rows.flat(tensor).bytes());
    }

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean add) {
        Operands.matmul(a, transposeA, b, transposeB, out);
        products.multiply(a, transposeA, b, transposeB, null, out, add);
    }

    @Override
    public void linear(Tensor x, Tensor weight, Tensor bias, Tensor out) {
        Operands.linear(x, weight, bias, out);
        products.multiply(x, false, weight, true, bias, out, false);
    }

    @Override
    public Tensor packWeight(Scope scope, Tensor weight) {
        return products.packed(scope, weight);
    }

    @Override
    public Tensor packInt8(Scope scope, Tensor weight) {
        return products.packsInt8(weight) ? products.packedInt8(scope, weight) : Backend.super.packInt8(scope, weight);
    }

    @Override
    public void addColumnSums(Tensor x, Tensor sums) {
        Operands.addColumnSums(x, sums);
        transfers.addColumnSums(x, sums);
    }

    @Override
    public void add(Tensor a, Tensor b, Tensor out) {
        Operands.pointwise("add", a, b, out);
        pointwise.add(a, b, out);
    }

    @Override
    public void addScaled(float factor, Tensor x, Tensor y) {
        Operands.pointwise("addScaled", x, y);
        pointwise.addScaled(factor, x, y);
    }

    @Override
    public void scale(Tensor x, float factor) {
        Operands.pointwise("scale", x);
        pointwise.scale(x, factor);
    }

    @Override
    public void activate(Activation f, Tensor x, Tensor out) {
        Operands.pointwise("activate", x, out);
        pointwise.activate(f, x, out);
    }

    @Override
    public void activateBackward(Activation f, Tensor x, Tensor dy, Tensor dx) {
        Operands.pointwise("activateBackward", x, dy, dx);
        pointwise.activateBackward(f, x, dy, dx);
    }

    @Override
    public void activateGated(Activation f, Tensor gateUp, Tensor out) {
        Operands.gated("activateGated", gateUp, out);
        pointwise.activateGated(f, gateUp, out);
    }

    @Override
    public void activateGatedBackward(Activation f, Tensor gateUp, Tensor dy, Tensor dGateUp) {
        Operands.gated("activateGatedBackward", gateUp, dy);
        Operands.pointwise("activateGatedBackward", gateUp, dGateUp);
        pointwise.activateGatedBackward(f, gateUp, dy, dGateUp);
    }

    @Override
    public void layerNorm(Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor out, Tensor statistics) {
        Operands.norm("layerNorm", x, weight, bias, out, statistics, 2);
        normalization.layerNorm(x, weight, bias, epsilon, out, statistics);
    }

    @Override
    public void layerNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor statistics, Tensor dx, Tensor dWeight, Tensor dBias) {
        Operands.norm("layerNormBackward", x, weight, null, dx, statistics, 2);
        Operands.pointwise("layerNormBackward", x, dy);
        Operands.gradient("layerNormBackward", weight, dWeight);
        Operands.gradient("layerNormBackward", weight, dBias);
        normalization.layerNormBackward(dy, x, weight, statistics, dx, dWeight, dBias);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float weightOffset, float epsilon, Tensor out, Tensor statistics) {
        Operands.norm("rmsNorm", x, weight, null, out, statistics, 1);
        normalization.rmsNorm(x, weight, weightOffset, epsilon, out, statistics);
    }

    @Override
    public void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, float weightOffset, Tensor statistics, Tensor dx, Tensor dWeight) {
        Operands.norm("rmsNormBackward", x, weight, null, dx, statistics, 1);
        Operands.pointwise("rmsNormBackward", x, dy);
        Operands.gradient("rmsNormBackward", weight, dWeight);
        normalization.rmsNormBackward(dy, x, weight, weightOffset, statistics, dx, dWeight);
    }

    @Override
    public void gatherRows(Tensor table, int[] indices, Tensor out) {
        Operands.rows("gatherRows", table, indices, out);
        transfers.gather(table, indices, out);
    }

    @Override
    public void scatterAddRows(Tensor rows, int[] indices, Tensor table) {
        Operands.rows("scatterAddRows", table, indices, rows);
        transfers.scatterAdd(rows, indices, table);
    }

    @Override
    public void rotate(RotarySpec rotarySpec, Tensor x, int[] positions, boolean inverse) {
        Operands.rotate(rotarySpec, x, positions);
        rotary.rotate(rotarySpec, x, positions, inverse);
    }

    @Override
    public void attention(
            AttentionSpec spec, Tensor q, Tensor k, Tensor v, int[] starts, Tensor out, Tensor logSumExp) {
        Operands.attention(spec, q, k, v, starts, out, logSumExp);
        attention.forward(spec, q, k, v, starts, out, logSumExp);
    }

    @Override
    public void attentionBackward(
            AttentionSpec spec,
            Tensor q,
            Tensor k,
            Tensor v,
            int[] starts,
            Tensor out,
            Tensor logSumExp,
            Tensor dOut,
            Tensor dq,
            Tensor dk,
            Tensor dv) {
        Operands.attention(spec, q, k, v, starts, out, logSumExp);
        Operands.attentionBackward(spec, q, k, starts, dOut, dq, dk, dv);
        attentionBackward.backward(spec, q, k, v, starts, out, logSumExp, dOut, dq, dk, dv);
    }

    @Override
    public void cachedAttention(
            AttentionSpec spec, Tensor q, Tensor keys, Tensor values, CachedTokens tokens, Tensor out) {
        Operands.cachedAttention(spec, q, keys, values, tokens, out);
        attention.cached(spec, q, keys, values, tokens, out);
    }

    @Override
    public void tokenLogProbs(LanguageHead head, Tensor hidden, int[] targets, float[] logProbs, float[] entropies) {
        Operands.head("tokenLogProbs", head, hidden, targets);
        languageHead.logProbs(head, hidden, targets, logProbs, entropies);
    }

    @Override
    public void tokenLogProbsWithGradient(
            LanguageHead head,
            Tensor hidden,
            int[] targets,
            TokenGradient gradient,
            float[] logProbs,
            float[] entropies,
            Tensor dHidden,
            Tensor dWeight,
            Tensor dBias) {
        Operands.head("tokenLogProbsWithGradient", head, hidden, targets);
        Operands.gradient("tokenLogProbsWithGradient", hidden, dHidden);
        Operands.gradient("tokenLogProbsWithGradient", head.weight(), dWeight);
        Operands.gradient("tokenLogProbsWithGradient", head.bias(), dBias);
        languageHead.logProbsWithGradient(
                head, hidden, targets, gradient, logProbs, entropies, dHidden, dWeight, dBias);
    }

    @Override
    public void logits(LanguageHead head, Tensor hidden, Tensor logits) {
        Operands.logits(head, hidden, logits);
        languageHead.logits(head, hidden, logits);
    }

    @Override
    public void drawTokens(
            Tensor logits, float temperature, int[] rows, double[] uniforms, int[] tokens, float[] logProbs) {
        Operands.draws(logits, rows, uniforms, tokens, logProbs);
        tokenDraw.draw(logits, temperature, rows, uniforms, tokens, logProbs);
    }

    @Override
    public double sumOfSquares(Tensor x) {
        return optimizer.sumOfSquares(x);
    }

    @Override
    public void adamW(AdamWSettings settings, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
        Operands.pointwise("adamW", parameter, gradient, moment1, moment2);
        optimizer.adamW(settings, parameter, gradient, moment1, moment2);
    }
}
