/** Rows as batches: which rank computes which row, and how rows are packed for a forward pass, without padding. */
package io.rlhf4j.batch;
