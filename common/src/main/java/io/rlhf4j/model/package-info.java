/**
 * One decoder-only transformer, described by a {@link io.rlhf4j.model.TransformerConfig}, and the two models made of it: a
 * causal language model and a score model (reward model, critic). It runs on packed tokens ({@link
 * io.rlhf4j.model.TokenBatch}) without padding, but for less than a tile of tokens at the end.
 */
package io.rlhf4j.model;
