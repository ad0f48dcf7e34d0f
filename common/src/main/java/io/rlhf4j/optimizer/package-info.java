/** Optimizers over flat tensors, whose state belongs to the caller so that it can be sharded and saved; schedules, clipping and averages. */
package io.rlhf4j.optimizer;
