package io.rlhf4j.tensor;

/** Element types that a {@link Tensor} can hold. Sums and statistics are always taken in fp32. */
public enum DType {
    /** IEEE 754 single precision. */
    FP32(4),
    /** bfloat16: the upper half of an fp32, rounded to nearest even when stored. */
    BF16(2);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
