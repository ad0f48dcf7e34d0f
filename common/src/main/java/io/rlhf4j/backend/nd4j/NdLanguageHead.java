package io.rlhf4j.backend.nd4j;

import static io.rlhf4j.backend.nd4j.NdScratch.PART;
import static io.rlhf4j.backend.nd4j.NdStorage.accumulate;
import static io.rlhf4j.backend.nd4j.NdStorage.floats;
import static io.rlhf4j.backend.nd4j.NdStorage.packed;
import static io.rlhf4j.backend.nd4j.NdStorage.store;

import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.ops.NDBase;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Log-probabilities, entropies and their gradients, some rows at a time so that logits stay below a fixed size. */
final class NdLanguageHead {
    /** Logits held at once: 16 MiB of fp32, of which a gradient has about six arrays. */
    private static final int LOGITS_AT_ONCE = 1 << 22;

    private static final NDBase OPERATIONS = new NDBase();

    private final LanguageHead head;
    private final INDArray weight;

    NdLanguageHead(LanguageHead head) {
        this.head = head;
        this.weight = packed(head.weight());
    }

    /** Where gradients go; dWeight and dBias may be null. */
    record Gradients(TokenGradient loss, Tensor dHidden, Tensor dWeight, Tensor dBias) {}

    INDArray logits(INDArray hidden) {
        return capped(hidden).div(head.temperature());
    }

    private INDArray capped(INDArray hidden) {
        INDArray logits = Nd4j.matmul(hidden, weight, false, true, false);
        if (head.bias() != null) {
            logits = logits.add(floats(head.bias()).reshape(1, head.bias().columns()));
        }
        return head.softcap() > 0
                ? Transforms.tanh(logits.div(head.softcap()), false).muli(head.softcap())
                : logits;
    }

    /** Fills logProbs and, unless null, entropies; goes on to the gradients unless null. */
    void logProbs(Tensor hidden, int[] targets, float[] logProbs, float[] entropies, Gradients gradients) {
        int step = Math.max(1, LOGITS_AT_ONCE / head.weight().rows());
        for (int from = 0; from < targets.length; from += step) {
            int to = Math.min(targets.length, from + step);
            int first = from;
            PART.run(() -> rows(hidden, targets, logProbs, entropies, gradients, first, to));
        }
    }

    private void rows(
            Tensor hidden, int[] targets, float[] logProbs, float[] entropies, Gradients gradients, int from, int to) {
        INDArray rows = packed(hidden.slice(from, to));
        INDArray capped = capped(rows);
        INDArray logits = capped.div(head.temperature());
        INDArray shifted = logits.sub(logits.max(true, 1));
        INDArray logSums = Transforms.log(Transforms.exp(shifted, true).sum(true, 1), false);
        INDArray logSoftmax = shifted.sub(logSums);
        INDArray chosen = OPERATIONS.oneHot(
                Nd4j.createFromArray(Arrays.copyOfRange(targets, from, to)),
                head.weight().rows(),
                -1,
                1,
                0,
                DataType.FLOAT);
        copy(logSoftmax.mul(chosen).sum(1), logProbs, from);
        INDArray softmax = Transforms.exp(logSoftmax, true);
        float[] ofEntropy = softmax.mul(logSoftmax).sum(1).neg().toFloatVector();
        if (entropies != null) {
            System.arraycopy(ofEntropy, 0, entropies, from, to - from);
        }
        if (gradients != null) {
            INDArray dLogits = gradientOfLogits(gradients.loss, logProbs, ofEntropy, from, softmax, logSoftmax, chosen);
            if (head.softcap() > 0) {
                INDArray tanh = capped.div(head.softcap());
                dLogits.muli(tanh.muli(tanh).rsubi(1));
            }
            dLogits.divi(head.temperature());
            store(Nd4j.matmul(dLogits, weight), gradients.dHidden.slice(from, to));
            if (gradients.dWeight != null) {
                accumulate(Nd4j.matmul(dLogits, rows, true, false, false), gradients.dWeight);
            }
            accumulate(dLogits.sum(0), gradients.dBias);
        }
    }

    /** d logProb / d logits = chosen - softmax; d entropy / d logits = -softmax (logSoftmax + entropy). */
    private static INDArray gradientOfLogits(
            TokenGradient loss,
            float[] logProbs,
            float[] entropies,
            int from,
            INDArray softmax,
            INDArray logSoftmax,
            INDArray chosen) {
        int rows = entropies.length;
        float[] ofLogProb = new float[rows];
        float[] ofEntropy = new float[rows];
        for (int row = 0; row < rows; row++) {
            ofLogProb[row] = loss.ofLogProb(from + row, logProbs[from + row], entropies[row]);
            ofEntropy[row] = loss.ofEntropy(from + row, logProbs[from + row], entropies[row]);
        }
        INDArray byLogProb = chosen.sub(softmax).mul(column(ofLogProb));
        INDArray byEntropy = logSoftmax.add(column(entropies)).mul(softmax).mul(column(ofEntropy));
        return byLogProb.sub(byEntropy);
    }

    private static INDArray column(float[] values) {
        return Nd4j.createFromArray(values).reshape(values.length, 1);
    }

    private static void copy(INDArray source, float[] target, int from) {
        float[] values = source.toFloatVector();
        System.arraycopy(values, 0, target, from, values.length);
    }
}
