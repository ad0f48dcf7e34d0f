/** Rows of tokens as the trainers see them, whatever table they came from. */
package io.rlhf4j.data;
