/**
 * From gradients to weights: {@link io.rlhf4j.workers.engine.TrainingEngine} takes micro-batches through forward and
 * backward and makes one optimizer step of them, together with all other ranks. How parameters and their states are spread
 * over the ranks is the engine's business and shows nowhere else.
 */
package io.rlhf4j.workers.engine;
