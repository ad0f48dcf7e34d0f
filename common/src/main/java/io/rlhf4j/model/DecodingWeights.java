package io.rlhf4j.model;

import io.rlhf4j.tensor.DType;

/** How the generation of answers reads a model's weights. */
public enum DecodingWeights {
    /** As training keeps them. */
    PLAIN,
    /** Laid out anew, as products of few rows read them fastest. */
    PACKED,
    /** Laid out anew and rounded to {@link io.rlhf4j.tensor.Int8}: another model, near to this one. */
    INT8;

    /** Bytes of a weight of a model of {@code type} as it is read, where the backend has code for that. */
    public int bytes(DType type) {
        return this == INT8 ? 1 : type.bytes();
    }

    /** Bytes of its copy. */
    public int copiedBytes(DType type) {
        return this == PLAIN ? 0 : bytes(type);
    }
}
