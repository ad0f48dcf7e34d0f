package io.rlhf4j.model;

/** How a parameter starts: a constant, or a normal distribution around zero. */
sealed interface Initialisation {
    /** Every element is {@code value}. */
    record Constant(float value) implements Initialisation {}

    /** Independent normal elements of mean 0. */
    record Normal(double standardDeviation) implements Initialisation {}

    Initialisation ZEROS = new Constant(0f);
    Initialisation ONES = new Constant(1f);
}
