package io.rlhf4j.model;

import java.util.Arrays;
import java.util.SplittableRandom;

/** How a parameter starts in a model that is not loaded. */
sealed interface Initialisation {
    /** Every element is 0. */
    Initialisation ZEROS = new Constant(0f);

    /** Every element is 1. */
    Initialisation ONES = new Constant(1f);

    /** The first values of a parameter: a function of its length, the model's seed and its name. */
    float[] sample(int elements, long seed, String name);

    /** Every element is {@code value}. */
    record Constant(float value) implements Initialisation {
        @Override
        public float[] sample(int elements, long seed, String name) {
            float[] values = new float[elements];
            Arrays.fill(values, value);
            return values;
        }
    }

    /** Independent normal elements of mean 0. */
    record Normal(double standardDeviation) implements Initialisation {
        @Override
        public float[] sample(int elements, long seed, String name) {
            SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + name.hashCode());
            float[] values = new float[elements];
            for (int i = 0; i < elements; i++) {
                values[i] = (float) (standardDeviation * random.nextGaussian());
            }
            return values;
        }
    }
}
