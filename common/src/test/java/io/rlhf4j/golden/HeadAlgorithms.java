package io.rlhf4j.golden;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;
import java.util.Arrays;
import java.util.Map;

/** Fixtures of the fused head, and of losses that go through it. */
final class HeadAlgorithms {
    private HeadAlgorithms() {}

    /** The head's weight is the identity, so that hidden states are logits. */
    static Map<String, Object> entropyAndLogProb(Fixture fixture, Scope work) {
        int[][] labels = fixture.ids("labels");
        boolean[][] mask = fixture.masks("mask");
        int rows = labels.length;
        int length = labels[0].length;
        int vocabulary = fixture.get("logits").get(0).get(0).size();
        float[] logits = new float[rows * length * vocabulary];
        int[] targets = new int[rows * length];
        boolean[] counted = new boolean[rows * length];
        int tokens = 0;
        for (int i = 0; i < targets.length; i++) {
            double[] row = Fixture.row(fixture.get("logits").get(i / length).get(i % length));
            for (int v = 0; v < vocabulary; v++) {
                logits[i * vocabulary + v] = (float) row[v];
            }
            targets[i] = labels[i / length][i % length];
            counted[i] = mask[i / length][i % length];
            tokens += counted[i] ? 1 : 0;
        }
        Tensor hidden = work.of(DType.FP32, logits, targets.length, vocabulary);
        LanguageHead head =
                new LanguageHead(identity(work, vocabulary), null, 0, (float) fixture.number("temperature"));
        float weight = 1f / tokens;
        TokenGradient ofLogProb = (index, logProb, entropy) -> counted[index] ? weight : 0;
        TokenGradient ofEntropy = new TokenGradient() {
            @Override
            public float ofLogProb(int index, float logProb, float entropy) {
                return 0;
            }

            @Override
            public float ofEntropy(int index, float logProb, float entropy) {
                return counted[index] ? weight : 0;
            }
        };
        float[] logProbs = new float[targets.length];
        float[] entropies = new float[targets.length];
        Tensor logProbGradient = work.zeros(DType.FP32, targets.length, vocabulary);
        Tensor entropyGradient = work.zeros(DType.FP32, targets.length, vocabulary);
        work.backend()
                .tokenLogProbsWithGradient(
                        head, hidden, targets, ofLogProb, logProbs, entropies, logProbGradient, null, null);
        work.backend()
                .tokenLogProbsWithGradient(
                        head, hidden, targets, ofEntropy, logProbs, entropies, entropyGradient, null, null);
        return Map.of(
                "logp", nested(logProbs, length),
                "entropy", nested(entropies, length),
                "mean_logp", mean(logProbs, counted),
                "mean_entropy", mean(entropies, counted),
                "grad_mean_logp_wrt_logits", nested(logProbGradient.toFloats(), length, vocabulary),
                "grad_mean_entropy_wrt_logits", nested(entropyGradient.toFloats(), length, vocabulary));
    }

    /** PPO-ptx: the language-model loss adds to the gradient that the policy loss left. */
    static Map<String, Object> policyAndText(Fixture fixture, Scope work) {
        int[] labels = Fixture.ids(fixture.get("labels"));
        float[] logProbs = new float[labels.length];
        double[][] policyGradient = fixture.rows("ppo_grad");
        double coefficient = fixture.number("ptx_coef");
        double[][] none = new double[policyGradient.length][policyGradient[0].length];
        double[][] text = added(fixture, work, labels, none, 1, logProbs);
        double loss = 0;
        for (float logProb : logProbs) {
            loss -= logProb / labels.length;
        }
        double[][] half = new double[none.length][none[0].length];
        for (int row = 0; row < half.length; row++) {
            for (int column = 0; column < half[row].length; column++) {
                half[row][column] = 0.5 * policyGradient[row][column];
            }
        }
        return Map.of(
                "lm_loss",
                loss,
                "lm_grad",
                text,
                "sum",
                added(fixture, work, labels, policyGradient, coefficient, logProbs),
                "halved",
                added(fixture, work, labels, half, 0.5 * coefficient, logProbs));
    }

    /** {@code gradient} plus {@code coefficient} times the gradient of the mean cross-entropy. */
    private static double[][] added(
            Fixture fixture, Scope work, int[] labels, double[][] gradient, double coefficient, float[] logProbs) {
        Tensor hidden = matrix(work, fixture.rows("h"));
        Tensor weight = matrix(work, fixture.rows("W"));
        Tensor dWeight = matrix(work, gradient);
        Tensor dHidden = work.zeros(DType.FP32, hidden.rows(), hidden.columns());
        float share = (float) (-coefficient / labels.length);
        work.backend()
                .tokenLogProbsWithGradient(
                        new LanguageHead(weight, null, 0, 1),
                        hidden,
                        labels,
                        (index, logProb, entropy) -> share,
                        logProbs,
                        null,
                        dHidden,
                        dWeight,
                        null);
        return nested(dWeight.toFloats(), dWeight.columns());
    }

    private static Tensor matrix(Scope work, double[][] rows) {
        double[] flat = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
        return OptimizerAlgorithms.tensor(work, flat).reshape(rows.length, rows[0].length);
    }

    private static Tensor identity(Scope work, int size) {
        float[] values = new float[size * size];
        for (int i = 0; i < size; i++) {
            values[i * size + i] = 1;
        }
        return work.of(DType.FP32, values, size, size);
    }

    private static double mean(float[] values, boolean[] counted) {
        double sum = 0;
        int count = 0;
        for (int i = 0; i < values.length; i++) {
            if (counted[i]) {
                sum += values[i];
                count++;
            }
        }
        return sum / count;
    }

    private static double[][] nested(float[] values, int columns) {
        double[][] rows = new double[values.length / columns][columns];
        for (int i = 0; i < values.length; i++) {
            rows[i / columns][i % columns] = values[i];
        }
        return rows;
    }

    private static double[][][] nested(float[] values, int length, int columns) {
        double[][] flat = nested(values, columns);
        double[][][] rows = new double[flat.length / length][length][];
        for (int i = 0; i < flat.length; i++) {
            rows[i / length][i % length] = flat[i];
        }
        return rows;
    }
}
