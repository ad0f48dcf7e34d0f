package io.rlhf4j.model;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;

/** Cosines and sines of a model's rotary embedding, for as many positions as were met so far. */
final class RotaryTable {
    private static final int FIRST_POSITIONS = 512;

    private final Scope scope;
    private final int headDim;
    private final PositionEncoding.Rotary config;
    private Tensor cos;
    private Tensor sin;

    RotaryTable(Scope scope, int headDim, PositionEncoding.Rotary config) {
        this.scope = scope;
        this.headDim = headDim;
        this.config = config;
    }

    /** The tables for positions below {@code positions}, at least. */
    RotarySpec upTo(int positions) {
        if (cos == null || cos.dimension(0) < positions) {
            if (cos != null) {
                scope.free(cos);
                scope.free(sin);
            }
            build(Math.max(FIRST_POSITIONS, Integer.highestOneBit(Math.max(1, positions - 1)) * 2));
        }
        return new RotarySpec(headDim, config.dimensions(), config.interleaved(), cos, sin);
    }

    private void build(int positions) {
        int pairs = config.inverseFrequencies().size();
        float[] cosines = new float[positions * pairs];
        float[] sines = new float[positions * pairs];
        for (int position = 0; position < positions; position++) {
            for (int pair = 0; pair < pairs; pair++) {
                float angle = position * config.inverseFrequencies().get(pair);
                cosines[position * pairs + pair] = (float) StrictMath.cos(angle);
                sines[position * pairs + pair] = (float) StrictMath.sin(angle);
            }
        }
        cos = scope.of(DType.FP32, cosines, positions, pairs);
        sin = scope.of(DType.FP32, sines, positions, pairs);
    }
}
