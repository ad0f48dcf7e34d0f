package io.rlhf4j.backend.nd4j;

import static io.rlhf4j.backend.nd4j.NdStorage.accumulate;
import static io.rlhf4j.backend.nd4j.NdStorage.floats;
import static io.rlhf4j.backend.nd4j.NdStorage.store;

import io.rlhf4j.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Layer norm and RMS norm over the rows of matrices. */
final class NdNorms {
    private NdNorms() {}

    static void layerNorm(Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor out, Tensor statistics) {
        INDArray values = floats(x);
        INDArray mean = values.mean(true, 1);
        INDArray centred = values.sub(mean);
        INDArray rstd = reciprocalRoot(centred.mul(centred).mean(true, 1).addi(epsilon));
        store(mean, statistics.columns(0, 1));
        store(rstd, statistics.columns(1, 2));
        store(centred.mul(rstd).mul(row(weight)).add(row(bias)), out);
    }

    static void layerNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor statistics, Tensor dx, Tensor dWeight, Tensor dBias) {
        INDArray gradient = floats(dy);
        INDArray mean = floats(statistics.columns(0, 1));
        INDArray rstd = floats(statistics.columns(1, 2));
        INDArray normed = floats(x).sub(mean).mul(rstd);
        accumulate(gradient.mul(normed).sum(0), dWeight);
        accumulate(gradient.sum(0), dBias);
        INDArray dNormed = gradient.mul(row(weight));
        INDArray along = dNormed.mul(normed).mean(true, 1);
        store(dNormed.sub(dNormed.mean(true, 1)).sub(normed.mul(along)).mul(rstd), dx);
    }

    static void rmsNorm(Tensor x, Tensor weight, float weightOffset, float epsilon, Tensor out, Tensor statistics) {
        INDArray values = floats(x);
        INDArray rstd = reciprocalRoot(values.mul(values).mean(true, 1).addi(epsilon));
        store(rstd, statistics);
        store(values.mul(rstd).mul(row(weight).add(weightOffset)), out);
    }

    static void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, float weightOffset, Tensor statistics, Tensor dx, Tensor dWeight) {
        INDArray gradient = floats(dy);
        INDArray rstd = floats(statistics);
        INDArray normed = floats(x).mul(rstd);
        accumulate(gradient.mul(normed).sum(0), dWeight);
        INDArray dNormed = gradient.mul(row(weight).add(weightOffset));
        INDArray along = dNormed.mul(normed).mean(true, 1);
        store(dNormed.sub(normed.mul(along)).mul(rstd), dx);
    }

    private static INDArray row(Tensor vector) {
        return floats(vector).reshape(1, vector.columns());
    }

    private static INDArray reciprocalRoot(INDArray x) {
        return Transforms.sqrt(x, false).rdivi(1);
    }
}
