/**
 * From gradients to weights: {@link io.rlhf4j.workers.engine.TrainingEngine} takes micro-batches through forward and
 * backward and makes one optimizer step of them, together with all other ranks. What of weights, gradients and optimizer
 * states a rank holds follows from the {@link io.rlhf4j.workers.engine.ZeroStage} and shows nowhere else: {@code UnitWeights},
 * {@code UnitGradients} and {@code OptimizerShard} are the three rows of ZeRO's table, for one unit of the model.
 */
package io.rlhf4j.workers.engine;
