package io.rlhf4j.tensor;

/** A piece of memory of one {@link Backend}: host memory, device memory or an INDArray; only that backend looks inside. */
public interface Storage {
    /** Size in bytes. */
    long bytes();

    /** How many elements of a type it holds: more than have room in its bytes where the backend keeps them rounded. */
    default long elements(DType type) {
        return bytes() / type.bytes();
    }

    /** Gives the memory back. Called once, by the {@link Scope} that allocated it. */
    void free();
}
