/**
 * Tensors, the memory scopes that own them, and the {@link io.rlhf4j.tensor.Backend} that computes with them.
 *
 * <p>Nothing here assumes where a tensor's elements lie: host values enter and leave through {@link
 * io.rlhf4j.tensor.Backend#write} and {@link io.rlhf4j.tensor.Backend#read} alone.
 */
package io.rlhf4j.tensor;
