package io.rlhf4j.generation;

/** Is told every token as soon as it is chosen: streaming, progress. */
public interface TokenListener {
    /** Listens to nothing. */
    TokenListener NONE = (request, sample, token) -> {};

    /**
     * A token was chosen.
     *
     * @param request index of the request
     * @param sample index of the sample within its request
     */
    void chosen(int request, int sample, int token);
}
