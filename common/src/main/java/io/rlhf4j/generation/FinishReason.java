package io.rlhf4j.generation;

/** Why a sample ended. */
public enum FinishReason {
    /** With an end token, which belongs to the sample. */
    EOS,
    /** With one of the stop texts. */
    STOP,
    /** It reached the most tokens allowed, or the model's longest context. */
    LENGTH
}
