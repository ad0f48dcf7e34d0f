package io.rlhf4j.backend.nd4j;

import static io.rlhf4j.backend.nd4j.NdScratch.PART;
import static io.rlhf4j.backend.nd4j.NdStorage.floats;
import static io.rlhf4j.backend.nd4j.NdStorage.view;

import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Gradient norms and optimizer steps over flat tensors. */
final class NdOptimizer {
    /** Elements that one thread adds up: where ND4J splits a longer sum depends on which of its threads are free. */
    private static final int ROW = 512;

    /** Elements whose squares are held at once: 16 MiB of fp64. */
    private static final int AT_ONCE = ROW << 12;

    private NdOptimizer() {}

    static double sumOfSquares(Tensor flat) {
        int length = flat.columns();
        double sum = 0;
        for (int from = 0; from < length; from += AT_ONCE) {
            int to = Math.min(length, from + AT_ONCE);
            int rest = to - (to - from) % ROW;
            sum += sumOfRows(flat.slice(from, rest), ROW);
            sum += sumOfRows(flat.slice(rest, to), to - rest);
        }
        return sum;
    }

    private static double sumOfRows(Tensor flat, int row) {
        if (flat.columns() == 0) {
            return 0;
        }
        double[] ofRows = PART.get(() -> {
            INDArray values = view(flat).castTo(DataType.DOUBLE).reshape(flat.columns() / row, row);
            return values.mul(values).sum(1).toDoubleVector();
        });
        return Arrays.stream(ofRows).reduce(0, Double::sum);
    }

    static void adamW(AdamWSettings settings, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
        double correction1 = 1 - Math.pow(settings.beta1(), settings.step());
        double correction2 = 1 - Math.pow(settings.beta2(), settings.step());
        INDArray scaled = floats(gradient).mul(settings.gradientScale());
        INDArray m = view(moment1);
        INDArray v = view(moment2);
        m.muli(settings.beta1()).addi(scaled.mul(1 - settings.beta1()));
        v.muli(settings.beta2()).addi(scaled.mul(scaled).muli(1 - settings.beta2()));
        INDArray root = Transforms.sqrt(v.div(correction2), false).addi(settings.epsilon());
        view(parameter)
                .muli(1 - settings.learningRate() * settings.weightDecay())
                .subi(m.div(root).muli(settings.learningRate() / correction1));
    }
}
