package io.rlhf4j.model;

import io.rlhf4j.tensor.Tensor;
import java.util.SplittableRandom;

/** How a parameter starts in a model that is not loaded. */
sealed interface Initialisation {
    /** Every element is 0. */
    Initialisation ZEROS = new Constant(0f);

    /** Every element is 1. */
    Initialisation ONES = new Constant(1f);

    /** Sets the first values of a parameter: a function of its length, the model's seed and its name. */
    void fill(Tensor parameter, long seed, String name);

    /** Every element is {@code value}. */
    record Constant(float value) implements Initialisation {
        @Override
        public void fill(Tensor parameter, long seed, String name) {
            parameter.backend().fill(parameter, value);
        }
    }

    /** Independent normal elements of mean 0. */
    record Normal(double standardDeviation) implements Initialisation {
        /** A parameter may be larger than the heap. */
        private static final int ELEMENTS_AT_ONCE = 1 << 20;

        @Override
        public void fill(Tensor parameter, long seed, String name) {
            SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + name.hashCode());
            Tensor flat = parameter.flatten();
            int elements = flat.columns();
            for (int from = 0; from < elements; from += ELEMENTS_AT_ONCE) {
                float[] values = new float[Math.min(ELEMENTS_AT_ONCE, elements - from)];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (standardDeviation * random.nextGaussian());
                }
                flat.backend().write(flat.slice(from, from + values.length), values, 0);
            }
        }
    }
}
