package io.rlhf4j.tensor;

/** A piece of memory of one {@link Backend}: host memory, device memory or an INDArray; only that backend looks inside. */
public interface Storage {
    /** Size in bytes. */
    long bytes();

    /** Gives the memory back. Called once, by the {@link Scope} that allocated it. */
    void free();
}
