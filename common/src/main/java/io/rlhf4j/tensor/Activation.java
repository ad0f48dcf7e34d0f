package io.rlhf4j.tensor;

/** Pointwise non-linearities of the feed-forward layers. */
public enum Activation {
    RELU,
    /** x Phi(x) with the error function (Hendrycks and Gimpel 2016). */
    GELU,
    /** The tanh form of GELU: {@code gelu_new}, {@code gelu_fast} and {@code gelu_pytorch_tanh} of transformers. */
    GELU_TANH,
    /** x sigmoid(x). */
    SILU
}
