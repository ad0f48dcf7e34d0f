/** Makes a small tokenizer from text, for models that are trained from scratch. */
package io.rlhf4j.tokenizer.training;
