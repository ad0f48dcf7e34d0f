package io.rlhf4j.tensor;

/** A pass that is run many times, of {@link GenerationPasses#repeated}. One thread uses it at a time. */
public interface RepeatedPass extends AutoCloseable {
    /** Runs it with what its host arrays hold now. */
    void run();

    /** It is not run again. */
    @Override
    void close();
}
