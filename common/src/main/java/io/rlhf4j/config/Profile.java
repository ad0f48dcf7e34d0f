package io.rlhf4j.config;

/** A named set of values that lies under the user's file. */
public enum Profile {
    /** The presets of the records, those of the published recipes. */
    PAPER,
    /** Models below about 100 million parameters: larger learning rates, shorter texts, smaller batches. */
    SMALL
}
