package io.rlhf4j.workers.training;

/** Per-token numbers between the models' fp32 and the formulas' fp64. */
final class Doubles {
    private Doubles() {}

    static double[] of(float... values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }
}
