/**
 * Text to token ids and back, and conversations to text: {@link io.rlhf4j.tokenizer.Tokenizer} over the Hugging Face
 * tokenizers library, {@link io.rlhf4j.tokenizer.ChatTemplate} for the Jinja templates that come with chat models.
 */
package io.rlhf4j.tokenizer;
