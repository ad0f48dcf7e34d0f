package io.rlhf4j.model;

/**
 * What a parameter will be, before there is memory for it.
 *
 * @param name unique within the model
 * @param shape lengths of all dimensions
 * @param initialisation how it starts in a model that is not loaded
 */
record ParameterSpec(String name, Initialisation initialisation, int... shape) {}
