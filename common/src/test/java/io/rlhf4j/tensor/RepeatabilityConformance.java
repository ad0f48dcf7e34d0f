package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Equal inputs give equal bits: one call after another, and beside the calls of another thread. */
interface RepeatabilityConformance extends Conformance {
    @ParameterizedTest
    @EnumSource(DType.class)
    default void theSameCallsGiveTheSameBits(DType type) {
        float[][] first = everyOperation(type);
        for (int repeat = 0; repeat < 3; repeat++) {
            assertThat(everyOperation(type)).isDeepEqualTo(first);
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void callsFromSeveralThreadsGiveTheBitsOfOne(DType type) throws InterruptedException, ExecutionException {
        float[][] alone = everyOperation(type);
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<float[][]>> results = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                results.add(threads.submit(() -> everyOperation(type)));
            }
            for (Future<float[][]> result : results) {
                assertThat(result.get()).isDeepEqualTo(alone);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** Results of the operations that add up or run in parallel, at sizes where a backend uses threads. */
    private float[][] everyOperation(DType type) {
        Backend backend = backend();
        try (Workbench bench = open()) {
            List<Tensor> results = new ArrayList<>();
            int rows = 96;
            int width = 64;
            Tensor x = bench.normal(type, rows, width);
            Tensor weight = bench.normal(type, width, width);
            Tensor vector = bench.normal(type, width);
            Tensor dy = bench.normal(type, rows, width);
            Tensor dx = keep(results, bench.output(type, rows, width));
            Tensor product = keep(results, bench.output(type, rows, width));
            backend.linear(x, weight, vector, product);
            backend.activateBackward(Activation.GELU, x, dy, dx);

            Tensor dWeight = keep(results, bench.normal(DType.FP32, width, width));
            backend.matmul(dy, true, x, false, dWeight, true);
            Tensor dVector = keep(results, bench.normal(DType.FP32, width));
            backend.addColumnSums(dy, dVector);

            Tensor statistics = keep(results, bench.output(DType.FP32, rows, 2));
            Tensor normed = keep(results, bench.output(type, rows, width));
            Tensor dNormed = keep(results, bench.output(type, rows, width));
            Tensor dBias = keep(results, bench.normal(DType.FP32, width));
            backend.layerNorm(x, vector, vector, 1e-5f, normed, statistics);
            backend.layerNormBackward(dy, x, vector, statistics, dNormed, dVector, dBias);
            Tensor rms = keep(results, bench.output(DType.FP32, rows, 1));
            Tensor rmsNormed = keep(results, bench.output(type, rows, width));
            Tensor dRms = keep(results, bench.output(type, rows, width));
            backend.rmsNorm(x, vector, 0f, 1e-5f, rmsNormed, rms);
            backend.rmsNormBackward(dy, x, vector, 0f, rms, dRms, dVector);

            Tensor table = keep(results, bench.normal(DType.FP32, 7, width));
            backend.scatterAddRows(dy, bench.indices(rows, 7), table);

            AttentionSpec spec = new AttentionSpec(4, 4, width / 4, 0.25f, 0, 0f, null);
            int[] starts = {0, 70, 71, rows};
            Tensor attended = keep(results, bench.output(type, rows, width));
            Tensor logSumExp = keep(results, bench.output(DType.FP32, 4, rows));
            Tensor dq = keep(results, bench.output(type, rows, width));
            Tensor dk = keep(results, bench.output(type, rows, width));
            Tensor dv = keep(results, bench.output(type, rows, width));
            backend.attention(spec, x, normed, product, starts, attended, logSumExp);
            backend.attentionBackward(spec, x, normed, product, starts, attended, logSumExp, dy, dq, dk, dv);

            LanguageHead head = new LanguageHead(bench.normal(type, 700, width), null, 0f, 1f);
            Tensor dHidden = keep(results, bench.output(type, rows, width));
            Tensor dHead = keep(results, bench.normal(DType.FP32, 700, width));
            float[] logProbs = new float[rows];
            float[] entropies = new float[rows];
            backend.tokenLogProbsWithGradient(
                    head,
                    rmsNormed,
                    bench.indices(rows, 700),
                    (index, logProb, entropy) -> 1f + logProb,
                    logProbs,
                    entropies,
                    dHidden,
                    dHead,
                    null);

            Tensor moment = keep(results, bench.of(DType.FP32, new float[rows * width], rows * width));
            Tensor master = keep(results, bench.normal(DType.FP32, rows * width));
            backend.adamW(
                    new AdamWSettings(1e-3, 0.9, 0.95, 1e-8, 0.1, 1, 1),
                    master,
                    dHidden.flatten(),
                    moment,
                    bench.copyOf(moment));
            List<float[]> values =
                    new ArrayList<>(results.stream().map(Tensor::toFloats).toList());
            values.add(logProbs);
            values.add(entropies);
            values.add(new float[] {(float) backend.sumOfSquares(master)});
            return values.toArray(float[][]::new);
        }
    }

    private static Tensor keep(List<Tensor> results, Tensor tensor) {
        results.add(tensor);
        return tensor;
    }
}
