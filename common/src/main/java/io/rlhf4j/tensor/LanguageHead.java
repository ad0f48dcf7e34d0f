package io.rlhf4j.tensor;

/**
 * From hidden states to next-token logits: {@code softcap(hidden . weightᵀ + bias) / temperature}.
 *
 * @param weight [vocab, hidden]
 * @param bias [vocab], or null
 * @param softcap when positive, logits become softcap * tanh(logits / softcap) (Gemma 2)
 * @param temperature divides the logits
 */
public record LanguageHead(Tensor weight, Tensor bias, float softcap, float temperature) {}
