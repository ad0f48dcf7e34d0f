package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Operands;
import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Storage;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;
import java.util.Optional;

/** The backend for one NVIDIA GPU. Calls return before the device is through, but for those that bring numbers back. */
public final class CudaBackend implements Backend {
    private final String description;
    private final Workbench bench;
    private final Transfers transfers;
    private final MatrixProducts products;
    private final Pointwise pointwise;
    private final Norms norms;
    private final Rotary rotary;
    private final Attention attention;
    private final CachedAttention cachedAttention;
    private final LanguageHeadRows languageHead;
    private final TokenDraw tokenDraw;
    private final Optimizer optimizer;

    /**
     * A backend with a stream and memory of its own. {@link CudaBackendProvider#unusableBecause} has to be empty.
     *
     * @param gpu the device's number or UUID; empty for the first
     */
    CudaBackend(Optional<String> gpu) {
        Device device = Device.at(gpu);
        bench = Workbench.on(device);
        transfers = new Transfers(bench);
        pointwise = new Pointwise(bench);
        products = new MatrixProducts(bench, transfers, pointwise);
        norms = new Norms(bench, transfers);
        rotary = new Rotary(bench);
        attention = new Attention(bench);
        cachedAttention = new CachedAttention(bench);
        languageHead = new LanguageHeadRows(bench, transfers, products);
        tokenDraw = new TokenDraw(bench);
        optimizer = new Optimizer(bench);
        description = "cuda: %s, kernels by NVRTC %s, cuBLAS %s"
                .formatted(device.description(), bench.kernels().compilerVersion(), products.version());
    }

    @Override
    public String name() {
        return CudaBackendProvider.NAME;
    }

    @Override
    public String description() {
        return description;
    }

    /** An operand. With its first an operation begins. */
    private Matrix of(Tensor tensor) {
        bench.stream().enter();
        return Matrix.of(tensor);
    }

    private static Matrix orNull(Tensor tensor) {
        return Matrix.ofNullable(tensor);
    }

    @Override
    public synchronized Storage allocate(DType type, long elements) {
        return bench.memories().allocate(type.bytes() * elements);
    }

    @Override
    public synchronized void write(Tensor target, float[] source, int from) {
        transfers.write(of(target), source, from);
    }

    @Override
    public synchronized void read(Tensor source, float[] target, int from) {
        transfers.read(of(source), target, from);
    }

    @Override
    public synchronized void fill(Tensor target, float value) {
        transfers.fill(of(target), value);
    }

    @Override
    public synchronized void copy(Tensor source, Tensor target) {
        Operands.copy(source, target);
        transfers.copy(of(source), of(target));
    }

    @Override
    public synchronized void matmul(
            Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean add) {
        Operands.matmul(a, transposeA, b, transposeB, out);
        products.multiply(of(a), transposeA, of(b), transposeB, of(out), add);
    }

    @Override
    public synchronized void linear(Tensor x, Tensor weight, Tensor bias, Tensor out) {
        Operands.linear(x, weight, bias, out);
        products.linear(of(x), of(weight), orNull(bias), of(out));
    }

    @Override
    public synchronized void addColumnSums(Tensor x, Tensor sums) {
        Operands.addColumnSums(x, sums);
        transfers.addColumnSums(of(x), of(sums));
    }

    @Override
    public synchronized void add(Tensor a, Tensor b, Tensor out) {
        Operands.pointwise("add", a, b, out);
        pointwise.add(of(a), of(b), of(out));
    }

    @Override
    public synchronized void addScaled(float factor, Tensor x, Tensor y) {
        Operands.pointwise("addScaled", x, y);
        pointwise.addScaled(factor, of(x), of(y));
    }

    @Override
    public synchronized void scale(Tensor x, float factor) {
        Operands.pointwise("scale", x);
        pointwise.scale(of(x), factor);
    }

    @Override
    public synchronized void activate(Activation f, Tensor x, Tensor out) {
        Operands.pointwise("activate", x, out);
        pointwise.activate(f, of(x), of(out));
    }

    @Override
    public synchronized void activateBackward(Activation f, Tensor x, Tensor dy, Tensor dx) {
        Operands.pointwise("activateBackward", x, dy, dx);
        pointwise.activateBackward(f, of(x), of(dy), of(dx));
    }

    @Override
    public synchronized void activateGated(Activation f, Tensor gateUp, Tensor out) {
        Operands.gated("activateGated", gateUp, out);
        pointwise.activateGated(f, of(gateUp), of(out));
    }

    @Override
    public synchronized void activateGatedBackward(Activation f, Tensor gateUp, Tensor dy, Tensor dGateUp) {
        Operands.gated("activateGatedBackward", gateUp, dy);
        Operands.pointwise("activateGatedBackward", gateUp, dGateUp);
        pointwise.activateGatedBackward(f, of(gateUp), of(dy), of(dGateUp));
    }

    @Override
    public synchronized void layerNorm(
            Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor out, Tensor statistics) {
        Operands.norm("layerNorm", x, weight, bias, out, statistics, 2);
        norms.forward(true, of(x), of(weight), orNull(bias), 0f, epsilon, of(out), of(statistics));
    }

    @Override
    public synchronized void layerNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor statistics, Tensor dx, Tensor dWeight, Tensor dBias) {
        Operands.norm("layerNormBackward", x, weight, null, dx, statistics, 2);
        Operands.pointwise("layerNormBackward", x, dy);
        Operands.gradient("layerNormBackward", weight, dWeight);
        Operands.gradient("layerNormBackward", weight, dBias);
        norms.backward(true, of(dy), of(x), of(weight), 0f, of(statistics), of(dx), orNull(dWeight), orNull(dBias));
    }

    @Override
    public synchronized void rmsNorm(
            Tensor x, Tensor weight, float weightOffset, float epsilon, Tensor out, Tensor statistics) {
        Operands.norm("rmsNorm", x, weight, null, out, statistics, 1);
        norms.forward(false, of(x), of(weight), null, weightOffset, epsilon, of(out), of(statistics));
    }

    @Override
    public synchronized void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, float weightOffset, Tensor statistics, Tensor dx, Tensor dWeight) {
        Operands.norm("rmsNormBackward", x, weight, null, dx, statistics, 1);
        Operands.pointwise("rmsNormBackward", x, dy);
        Operands.gradient("rmsNormBackward", weight, dWeight);
        norms.backward(false, of(dy), of(x), of(weight), weightOffset, of(statistics), of(dx), orNull(dWeight), null);
    }

    @Override
    public synchronized void gatherRows(Tensor table, int[] indices, Tensor out) {
        Operands.rows("gatherRows", table, indices, out);
        transfers.gather(of(table), indices, of(out));
    }

    @Override
    public synchronized void putRows(Tensor rows, int[] indices, Tensor table) {
        Operands.rows("putRows", table, indices, rows);
        transfers.put(of(rows), indices, of(table));
    }

    @Override
    public synchronized void scatterAddRows(Tensor rows, int[] indices, Tensor table) {
        Operands.rows("scatterAddRows", table, indices, rows);
        transfers.scatterAdd(of(rows), indices, of(table));
    }

    @Override
    public synchronized void rotate(RotarySpec rotarySpec, Tensor x, int[] positions, boolean inverse) {
        Operands.rotate(rotarySpec, x, positions);
        rotary.rotate(rotarySpec, of(x), positions, inverse);
    }

    @Override
    public synchronized void attention(
            AttentionSpec spec, Tensor q, Tensor k, Tensor v, int[] starts, Tensor out, Tensor logSumExp) {
        Operands.attention(spec, q, k, v, starts, out, logSumExp);
        attention.forward(spec, of(q), of(k), of(v), starts, of(out), orNull(logSumExp));
    }

    @Override
    public synchronized void attentionBackward(
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
        attention.backward(spec, of(q), of(k), of(v), starts, of(out), of(logSumExp), of(dOut), of(dq), of(dk), of(dv));
    }

    @Override
    public synchronized void cachedAttention(
            AttentionSpec spec,
            Tensor q,
            Tensor keys,
            Tensor values,
            int[][] blocks,
            int blockSize,
            int[] lengths,
            int[] starts,
            Tensor out) {
        Operands.cachedAttention(spec, q, keys, values, blocks, blockSize, lengths, starts, out);
        cachedAttention.attend(spec, of(q), of(keys), of(values), blocks, blockSize, lengths, starts, of(out));
    }

    @Override
    public synchronized void tokenLogProbs(
            LanguageHead head, Tensor hidden, int[] targets, float[] logProbs, float[] entropies) {
        Operands.head("tokenLogProbs", head, hidden, targets);
        languageHead.logProbs(head, of(hidden), targets, logProbs, entropies, null);
    }

    @Override
    public synchronized void tokenLogProbsWithGradient(
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
        if (head.bias() != null) {
            Operands.gradient("tokenLogProbsWithGradient", head.bias(), dBias);
        }
        languageHead.logProbs(
                head,
                of(hidden),
                targets,
                logProbs,
                entropies,
                new LanguageHeadRows.Gradients(gradient, of(dHidden), orNull(dWeight), orNull(dBias)));
    }

    @Override
    public synchronized void logits(LanguageHead head, Tensor hidden, Tensor logits) {
        Operands.logits(head, hidden, logits);
        languageHead.logits(head, of(hidden), of(logits));
    }

    @Override
    public synchronized void drawTokens(
            Tensor logits, float temperature, int[] rows, double[] uniforms, int[] tokens, float[] logProbs) {
        Operands.draws(logits, rows, uniforms, tokens, logProbs);
        tokenDraw.draw(of(logits), temperature, rows, uniforms, tokens, logProbs);
    }

    @Override
    public synchronized double sumOfSquares(Tensor x) {
        Operands.pointwise("sumOfSquares", x);
        return optimizer.sumOfSquares(of(x));
    }

    @Override
    public synchronized void adamW(
            AdamWSettings settings, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
        Operands.pointwise("adamW", parameter, gradient, moment1, moment2);
        optimizer.adamW(settings, of(parameter), of(gradient), of(moment1), of(moment2));
    }
}
