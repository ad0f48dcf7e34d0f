/**
 * Reverse-mode differentiation over coarse operations: a {@link io.rlhf4j.autograd.Tape} runs operations of a {@link
 * io.rlhf4j.tensor.Backend} and remembers how to take their gradients, each written by hand. Memory is explicit: what
 * backward no longer needs is freed at once, and without recording a region keeps nothing but its result.
 */
package io.rlhf4j.autograd;
