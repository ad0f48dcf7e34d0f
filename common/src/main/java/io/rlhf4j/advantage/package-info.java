/** From scores to what the policy learns from: KL penalty and rewards, advantages, whitening, and the control of the penalty. */
package io.rlhf4j.advantage;
