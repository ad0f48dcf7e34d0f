/** How the next token is chosen from its logits: processors in a fixed order, and random numbers that depend on nothing but what they are for. */
package io.rlhf4j.sampling;
