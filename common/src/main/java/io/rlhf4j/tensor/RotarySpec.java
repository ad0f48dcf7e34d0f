package io.rlhf4j.tensor;

/**
 * Rotary position embedding (Su et al. 2021) of one layer.
 *
 * @param headDim columns of one head
 * @param rotaryDims how many leading columns of a head are rotated
 * @param interleaved pairs are (0,1), (2,3), ... (GPT-J) instead of (i, i + rotaryDims/2)
 * @param cos cosines, [positions, rotaryDims / 2] fp32
 * @param sin sines, likewise
 */
public record RotarySpec(int headDim, int rotaryDims, boolean interleaved, Tensor cos, Tensor sin) {}
