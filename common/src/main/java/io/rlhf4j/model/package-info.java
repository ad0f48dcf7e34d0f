/**
 * One decoder-only transformer, described by a {@link io.rlhf4j.model.TransformerConfig}, and the two models made of it: a
 * causal language model and a score model (reward model, critic). It runs on packed tokens ({@link
 * io.rlhf4j.model.TokenBatch}): there is no padding inside.
 */
package io.rlhf4j.model;
