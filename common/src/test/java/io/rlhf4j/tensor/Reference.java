package io.rlhf4j.tensor;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/** Naive double-precision forwards of the operations; their gradients are finite differences of these. */
final class Reference {
    private Reference() {}

    /** Gradient of {@code loss} at {@code x} by central differences; x is as before afterwards. */
    static double[] gradient(double[] x, ToDoubleFunction<double[]> loss) {
        double[] gradient = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            double centre = x[i];
            double step = 1e-5 * Math.max(1, Math.abs(centre));
            x[i] = centre + step;
            double above = loss.applyAsDouble(x);
            x[i] = centre - step;
            double below = loss.applyAsDouble(x);
            x[i] = centre;
            gradient[i] = (above - below) / (2 * step);
        }
        return gradient;
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    static double[] sum(double[] a, double[] b) {
        double[] sum = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            sum[i] = a[i] + b[i];
        }
        return sum;
    }

    /** [m, k] x [k, n]; a transposed argument is given as it lies in memory. */
    static double[] matmul(double[] a, boolean transposeA, double[] b, boolean transposeB, int m, int k, int n) {
        double[] out = new double[m * n];
        for (int row = 0; row < m; row++) {
            for (int column = 0; column < n; column++) {
                double sum = 0;
                for (int i = 0; i < k; i++) {
                    sum += a[transposeA ? i * m + row : row * k + i] * b[transposeB ? column * k + i : i * n + column];
                }
                out[row * n + column] = sum;
            }
        }
        return out;
    }

    /** x [rows, in], weight [out, in], bias [out] or null. */
    static double[] linear(double[] x, double[] weight, double[] bias, int rows) {
        int in = x.length / rows;
        int out = weight.length / in;
        double[] y = matmul(x, false, weight, true, rows, in, out);
        for (int i = 0; bias != null && i < y.length; i++) {
            y[i] += bias[i % out];
        }
        return y;
    }

    static double activation(Activation f, double x) {
        return switch (f) {
            case RELU -> Math.max(0, x);
            case GELU -> x * 0.5 * (1 + erf(x / Math.sqrt(2)));
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case SILU -> x / (1 + Math.exp(-x));
        };
    }

    static double[] activations(Activation f, double[] x) {
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = activation(f, x[i]);
        }
        return out;
    }

    /** gateUp [rows, 2n] to [rows, n]. */
    static double[] gated(Activation f, double[] gateUp, int rows) {
        int n = gateUp.length / rows / 2;
        double[] out = new double[rows * n];
        for (int i = 0; i < out.length; i++) {
            int gate = i / n * 2 * n + i % n;
            out[i] = activation(f, gateUp[gate]) * gateUp[gate + n];
        }
        return out;
    }

    /** The error function: its Taylor series where that converges fast, the continued fraction of erfc beyond. */
    private static double erf(double x) {
        if (Math.abs(x) < 3) {
            double term = x;
            double sum = x;
            for (int n = 1; n < 100; n++) {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            return 2 / Math.sqrt(Math.PI) * sum;
        }
        double fraction = 0;
        for (int n = 60; n > 0; n--) {
            fraction = n / 2.0 / (Math.abs(x) + fraction);
        }
        return Math.signum(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (Math.abs(x) + fraction));
    }

    static double[] layerNorm(double[] x, double[] weight, double[] bias, double epsilon) {
        int columns = weight.length;
        double[] out = new double[x.length];
        for (int row = 0; row < x.length; row += columns) {
            double mean = 0;
            for (int c = 0; c < columns; c++) {
                mean += x[row + c] / columns;
            }
            double variance = 0;
            for (int c = 0; c < columns; c++) {
                variance += (x[row + c] - mean) * (x[row + c] - mean) / columns;
            }
            for (int c = 0; c < columns; c++) {
                out[row + c] = (x[row + c] - mean) / Math.sqrt(variance + epsilon) * weight[c] + bias[c];
            }
        }
        return out;
    }

    static double[] rmsNorm(double[] x, double[] weight, double weightOffset, double epsilon) {
        int columns = weight.length;
        double[] out = new double[x.length];
        for (int row = 0; row < x.length; row += columns) {
            double squares = 0;
            for (int c = 0; c < columns; c++) {
                squares += x[row + c] * x[row + c] / columns;
            }
            for (int c = 0; c < columns; c++) {
                out[row + c] = x[row + c] / Math.sqrt(squares + epsilon) * (weight[c] + weightOffset);
            }
        }
        return out;
    }

    /** Attention of query rows {@code from ... to} (at positions firstPosition ...) over keys 0 ... of one sequence. */
    static void attend(
            AttentionSpec spec,
            double[] q,
            int from,
            int to,
            int firstPosition,
            double[][] keys,
            double[][] values,
            double[] out) {
        int dim = spec.headDim();
        for (int token = from; token < to; token++) {
            int position = firstPosition + token - from;
            int first = spec.window() > 0 ? Math.max(0, position - spec.window() + 1) : 0;
            for (int head = 0; head < spec.heads(); head++) {
                int query = (token * spec.heads() + head) * dim;
                int key = head / (spec.heads() / spec.kvHeads()) * dim;
                double[] weights = new double[position + 1];
                double total = 0;
                for (int p = first; p <= position; p++) {
                    double score = 0;
                    for (int d = 0; d < dim; d++) {
                        score += q[query + d] * keys[p][key + d];
                    }
                    score *= spec.scale();
                    if (spec.softcap() > 0) {
                        score = spec.softcap() * Math.tanh(score / spec.softcap());
                    }
                    if (spec.alibiSlopes() != null) {
                        score += spec.alibiSlopes()[head] * (p - position);
                    }
                    weights[p] = Math.exp(score);
                    total += weights[p];
                }
                for (int d = 0; d < dim; d++) {
                    double sum = 0;
                    for (int p = first; p <= position; p++) {
                        sum += weights[p] / total * values[p][key + d];
                    }
                    out[query + d] = sum;
                }
            }
        }
    }

    static double[] attention(AttentionSpec spec, double[] q, double[] k, double[] v, int[] starts) {
        double[] out = new double[q.length];
        int width = spec.kvHeads() * spec.headDim();
        for (int s = 0; s + 1 < starts.length; s++) {
            double[][] keys = rows(k, width, starts[s], starts[s + 1]);
            double[][] values = rows(v, width, starts[s], starts[s + 1]);
            attend(spec, q, starts[s], starts[s + 1], 0, keys, values, out);
        }
        return out;
    }

    private static double[][] rows(double[] matrix, int width, int from, int to) {
        double[][] rows = new double[to - from][];
        for (int row = from; row < to; row++) {
            rows[row - from] = Arrays.copyOfRange(matrix, row * width, (row + 1) * width);
        }
        return rows;
    }

    /** Logits [rows, vocab] of {@code head}, whose weight and bias are given as doubles (bias may be null). */
    static double[] logits(LanguageHead head, double[] hidden, double[] weight, double[] bias, int rows) {
        double[] logits = linear(hidden, weight, bias, rows);
        for (int i = 0; i < logits.length; i++) {
            double capped = head.softcap() > 0 ? head.softcap() * Math.tanh(logits[i] / head.softcap()) : logits[i];
            logits[i] = capped / head.temperature();
        }
        return logits;
    }

    /** Log-probability of each target, then the entropy of each row: [2, rows]. */
    static double[][] logProbsAndEntropies(double[] logits, int[] targets) {
        int vocab = logits.length / targets.length;
        double[][] result = new double[2][targets.length];
        for (int row = 0; row < targets.length; row++) {
            double most = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < vocab; i++) {
                most = Math.max(most, logits[row * vocab + i]);
            }
            double total = 0;
            for (int i = 0; i < vocab; i++) {
                total += Math.exp(logits[row * vocab + i] - most);
            }
            double logTotal = most + Math.log(total);
            for (int i = 0; i < vocab; i++) {
                double logProb = logits[row * vocab + i] - logTotal;
                result[1][row] -= Math.exp(logProb) * logProb;
            }
            result[0][row] = logits[row * vocab + targets[row]] - logTotal;
        }
        return result;
    }
}
