package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Operands;
import io.rlhf4j.tensor.RepeatedPass;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;
import java.util.Optional;

/** The backend for one NVIDIA GPU. Calls return before the device is through, but for those that bring numbers back. */
public final class CudaBackend extends CudaRowOperations {
    private static final int ROWS_OF_TILE = 8;
    private static final int PROMPT_TOKENS = 4096;

    private final String description;
    private final MatrixProducts products;
    private final LinearLayers linearLayers;
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
        this(Device.at(gpu));
    }

    private CudaBackend(Device device) {
        super(Workbench.on(device));
        products = new MatrixProducts(bench, transfers, pointwise);
        linearLayers = new LinearLayers(bench, products);
        attention = new Attention(bench);
        cachedAttention = new CachedAttention(bench, transfers, attention);
        languageHead = new LanguageHeadRows(bench, transfers, products, linearLayers);
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

    @Override
    public RepeatedPass repeated(Runnable pass) {
        return new RecordedPass(bench, this, pass);
    }

    /** {@inheritDoc} There is no more to do for a part of a tile than for all of it. */
    @Override
    public int rowsOfRepeated(int rows) {
        return (rows + ROWS_OF_TILE - 1) / ROWS_OF_TILE * ROWS_OF_TILE;
    }

    /** {@inheritDoc} Its matrix products are at their full rate with thousands of rows. */
    @Override
    public int promptTokensAtOnce() {
        return PROMPT_TOKENS;
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
        linearLayers.linear(of(x), weight, orNull(bias), null, null, of(out));
    }

    @Override
    public synchronized void linear(Tensor x, Tensor weight, Tensor bias, Activation f, Tensor residual, Tensor out) {
        Operands.linear(x, weight, bias, out);
        if (residual != null) {
            Operands.pointwise("linear", residual, out);
        }
        linearLayers.linear(of(x), weight, orNull(bias), f, orNull(residual), of(out));
    }

    @Override
    public synchronized Tensor packInt8(Scope scope, Tensor weight) {
        bench.stream().enter();
        return linearLayers.packInt8(scope, weight);
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
            AttentionSpec spec, Tensor q, Tensor keys, Tensor values, CachedTokens tokens, Tensor out) {
        Operands.cachedAttention(spec, q, keys, values, tokens, out);
        cachedAttention.attend(spec, of(q), of(keys), of(values), tokens, of(out));
    }

    @Override
    public synchronized void extendCacheAndAttend(
            AttentionSpec spec,
            Tensor q,
            Tensor k,
            Tensor v,
            int[] rows,
            Tensor keys,
            Tensor values,
            CachedTokens tokens,
            Tensor out) {
        boolean oneEach = q.rows() == tokens.lengths().length && k.type() == keys.type() && v.type() == values.type();
        if (!oneEach) {
            super.extendCacheAndAttend(spec, q, k, v, rows, keys, values, tokens, out);
            return;
        }
        Operands.rows("extendCacheAndAttend", keys, rows, k);
        Operands.rows("extendCacheAndAttend", values, rows, v);
        Operands.cachedAttention(spec, q, keys, values, tokens, out);
        cachedAttention.overCache(spec, of(q), of(k), of(v), of(keys), of(values), tokens, of(out));
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
