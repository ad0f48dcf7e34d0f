/**
 * Collectives of ranks that each have a GPU of their own: NCCL moves tensors from GPU to GPU, and the sums are taken on them
 * in the order of the ranks, with the bits of every other implementation. A group of another kind beside it agrees on the
 * operations, carries what is no tensor on a GPU, and tells of failures.
 */
package io.rlhf4j.workers.collective.nccl;
