package io.rlhf4j.backend.nd4j;

import static io.rlhf4j.backend.nd4j.NdScratch.OPERATION;
import static io.rlhf4j.backend.nd4j.NdStorage.accumulate;
import static io.rlhf4j.backend.nd4j.NdStorage.floats;
import static io.rlhf4j.backend.nd4j.NdStorage.packed;
import static io.rlhf4j.backend.nd4j.NdStorage.store;
import static io.rlhf4j.backend.nd4j.NdStorage.view;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.CachedTokens;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Operands;
import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Storage;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Each operation as a few ND4J operations on fp32 arrays: bf16 tensors are read as fp32 and rounded when stored. It is
 * written to be compared with, not to be fast.
 */
final class NdArrayBackend implements Backend {
    static final String NAME = "nd4j";

    private final String description;

    /** @param description what ND4J runs on */
    NdArrayBackend(String description) {
        this.description = description;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return description;
    }

    // ---- memory

    @Override
    public Storage allocate(DType type, long elements) {
        return new NdStorage(type, elements);
    }

    @Override
    public void write(Tensor target, float[] source, int from) {
        int to = from + Math.toIntExact(target.elements());
        if (from < 0 || to > source.length) {
            throw new IllegalArgumentException(
                    "write: " + source.length + " values from place " + from + " do not fill " + target);
        }
        OPERATION.run(() ->
                store(Nd4j.createFromArray(Arrays.copyOfRange(source, from, to)).reshape(lengths(target)), target));
    }

    @Override
    public void read(Tensor source, float[] target, int from) {
        int length = Math.toIntExact(source.elements());
        if (from < 0 || from + length > target.length) {
            throw new IllegalArgumentException(
                    "read: " + source + " does not fit into " + target.length + " values from place " + from);
        }
        OPERATION.run(() -> System.arraycopy(packed(source).reshape(length).toFloatVector(), 0, target, from, length));
    }

    @Override
    public void fill(Tensor target, float value) {
        view(target).assign(value);
    }

    @Override
    public void copy(Tensor source, Tensor target) {
        Operands.copy(source, target);
        OPERATION.run(() -> store(view(source), target));
    }

    // ---- matrix products

    @Override
    public void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor out, boolean add) {
        Operands.matmul(a, transposeA, b, transposeB, out);
        OPERATION.run(() -> {
            INDArray product = Nd4j.matmul(packed(a), packed(b), transposeA, transposeB, false);
            if (add) {
                accumulate(product, out);
            } else {
                store(product, out);
            }
        });
    }

    @Override
    public void linear(Tensor x, Tensor weight, Tensor bias, Tensor out) {
        Operands.linear(x, weight, bias, out);
        OPERATION.run(() -> {
            INDArray product = Nd4j.matmul(packed(x), packed(weight), false, true, false);
            store(bias == null ? product : product.add(floats(bias).reshape(1, bias.columns())), out);
        });
    }

    @Override
    public void addColumnSums(Tensor x, Tensor sums) {
        Operands.addColumnSums(x, sums);
        OPERATION.run(() -> accumulate(floats(x).sum(0), sums));
    }

    // ---- pointwise

    @Override
    public void add(Tensor a, Tensor b, Tensor out) {
        Operands.pointwise("add", out, a, b);
        OPERATION.run(() -> store(floats(a).add(floats(b)), out));
    }

    @Override
    public void addScaled(float factor, Tensor x, Tensor y) {
        Operands.pointwise("addScaled", y, x);
        OPERATION.run(() -> accumulate(floats(x).mul(factor), y));
    }

    @Override
    public void scale(Tensor x, float factor) {
        Operands.pointwise("scale", x);
        OPERATION.run(() -> store(floats(x).mul(factor), x));
    }

    @Override
    public void activate(Activation f, Tensor x, Tensor out) {
        Operands.pointwise("activate", out, x);
        OPERATION.run(() -> store(NdActivations.value(f, floats(x)), out));
    }

    @Override
    public void activateBackward(Activation f, Tensor x, Tensor dy, Tensor dx) {
        Operands.pointwise("activateBackward", dx, x, dy);
        OPERATION.run(() -> store(NdActivations.slope(f, floats(x)).muli(floats(dy)), dx));
    }

    @Override
    public void activateGated(Activation f, Tensor gateUp, Tensor out) {
        Operands.gated("activateGated", gateUp, out);
        OPERATION.run(() -> NdActivations.gated(f, gateUp, out));
    }

    @Override
    public void activateGatedBackward(Activation f, Tensor gateUp, Tensor dy, Tensor dGateUp) {
        Operands.gated("activateGatedBackward", gateUp, dy);
        Operands.pointwise("activateGatedBackward", dGateUp, gateUp);
        OPERATION.run(() -> NdActivations.gatedBackward(f, gateUp, dy, dGateUp));
    }

    // ---- normalisation

    @Override
    public void layerNorm(Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor out, Tensor statistics) {
        Operands.norm("layerNorm", x, weight, bias, out, statistics, 2);
        OPERATION.run(() -> NdNorms.layerNorm(x, weight, bias, epsilon, out, statistics));
    }

    @Override
    public void layerNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor statistics, Tensor dx, Tensor dWeight, Tensor dBias) {
        Operands.norm("layerNormBackward", x, weight, null, dx, statistics, 2);
        Operands.norm("layerNormBackward", dy, dWeight, dBias, dx, statistics, 2);
        OPERATION.run(() -> NdNorms.layerNormBackward(dy, x, weight, statistics, dx, dWeight, dBias));
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float weightOffset, float epsilon, Tensor out, Tensor statistics) {
        Operands.norm("rmsNorm", x, weight, null, out, statistics, 1);
        OPERATION.run(() -> NdNorms.rmsNorm(x, weight, weightOffset, epsilon, out, statistics));
    }

    @Override
    public void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, float weightOffset, Tensor statistics, Tensor dx, Tensor dWeight) {
        Operands.norm("rmsNormBackward", x, weight, null, dx, statistics, 1);
        Operands.norm("rmsNormBackward", dy, dWeight, null, dx, statistics, 1);
        OPERATION.run(() -> NdNorms.rmsNormBackward(dy, x, weight, weightOffset, statistics, dx, dWeight));
    }

    // ---- rows

    @Override
    public void gatherRows(Tensor table, int[] indices, Tensor out) {
        Operands.rows("gatherRows", table, indices, out);
        OPERATION.run(() -> store(NdRows.gathered(view(table), indices), out));
    }

    @Override
    public void scatterAddRows(Tensor rows, int[] indices, Tensor table) {
        Operands.rows("scatterAddRows", table, indices, rows);
        OPERATION.run(() -> NdRows.scatterAdd(rows, indices, table));
    }

    // ---- attention

    @Override
    public void rotate(RotarySpec rotary, Tensor x, int[] positions, boolean inverse) {
        Operands.rotate(rotary, x, positions);
        OPERATION.run(() -> NdRows.rotate(rotary, x, positions, inverse));
    }

    @Override
    public void attention(
            AttentionSpec spec, Tensor q, Tensor k, Tensor v, int[] starts, Tensor out, Tensor logSumExp) {
        Operands.attention(spec, q, k, v, starts, out, logSumExp);
        NdSequences.attention(spec, q, k, v, starts, out, logSumExp);
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
        NdSequences.backward(spec, q, k, v, starts, logSumExp, dOut, dq, dk, dv);
    }

    @Override
    public void cachedAttention(
            AttentionSpec spec, Tensor q, Tensor keys, Tensor values, CachedTokens tokens, Tensor out) {
        Operands.cachedAttention(spec, q, keys, values, tokens, out);
        NdSequences.cached(spec, q, keys, values, tokens, out);
    }

    // ---- language-model head

    @Override
    public void tokenLogProbs(LanguageHead head, Tensor hidden, int[] targets, float[] logProbs, float[] entropies) {
        Operands.head("tokenLogProbs", head, hidden, targets);
        OPERATION.run(() -> new NdLanguageHead(head).logProbs(hidden, targets, logProbs, entropies, null));
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
        OPERATION.run(() -> new NdLanguageHead(head)
                .logProbs(
                        hidden,
                        targets,
                        logProbs,
                        entropies,
                        new NdLanguageHead.Gradients(gradient, dHidden, dWeight, dBias)));
    }

    @Override
    public void logits(LanguageHead head, Tensor hidden, Tensor logits) {
        Operands.logits(head, hidden, logits);
        OPERATION.run(() -> store(new NdLanguageHead(head).logits(packed(hidden)), logits));
    }

    @Override
    public void drawTokens(
            Tensor logits, float temperature, int[] rows, double[] uniforms, int[] tokens, float[] logProbs) {
        Operands.draws(logits, rows, uniforms, tokens, logProbs);
        NdTokenDraw.draw(logits, temperature, rows, uniforms, tokens, logProbs);
    }

    // ---- optimizer

    @Override
    public double sumOfSquares(Tensor x) {
        Operands.pointwise("sumOfSquares", x);
        return NdOptimizer.sumOfSquares(x.flatten());
    }

    @Override
    public void adamW(AdamWSettings settings, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
        Operands.pointwise("adamW", parameter, gradient, moment1, moment2);
        OPERATION.run(() -> NdOptimizer.adamW(settings, parameter, gradient, moment1, moment2));
    }

    private static long[] lengths(Tensor tensor) {
        return Arrays.stream(tensor.shape()).asLongStream().toArray();
    }
}
