package io.rlhf4j.workers.engine;

import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Shards;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Bytes that a model in training takes, at most, on the rank that has most of it, beside its activations. With P parameters,
 * N ranks, BF16 weights and AdamW about 2P + 4P + 12P at stage 0, 2P + 4P + 12P/N at stage 1, 2P + 4P/N + 12P/N and two
 * units at stage 2, 2P/N + 4P/N + 12P/N and four units at stage 3; steps of one micro-batch take half of the gradients.
 * Ranks that write their shares hold three units of weights and no gradients beside their own parts.
 *
 * @param weights that compute; at stage 3 with the unit in use and the one that comes next
 * @param gradients from stage 2 on with those of the unit at work and of the one on its way
 * @param optimizer states, and fp32 masters where the weights are not fp32
 * @param average of the weights, fp32; 0 where none is kept
 * @param onDisk whether states, masters and average lie on disk
 * @param passing how much of weights and gradients is there only while a pass goes through the model: units that are whole
 */
public record EngineMemory(long weights, long gradients, long optimizer, long average, boolean onDisk, long passing) {

    /**
     * The memory of a model.
     *
     * @param units in the order of the forward pass; they need no memory
     * @param tied whether the first is the head as well
     * @param weightType of the weights
     * @param several whether steps have several micro-batches
     */
    public static EngineMemory of(
            List<ParameterUnit> units,
            boolean tied,
            DType weightType,
            EngineSettings settings,
            boolean several,
            int ranks) {
        ZeroStage stage = settings.stage();
        ToLongFunction<ParameterUnit> whole = ParameterUnit::elements;
        ToLongFunction<ParameterUnit> shard = unit -> shard(unit, ranks);
        long states = sum(units, stage.cutsStates() ? shard : whole);
        long gradients = sum(units, stage.cutsGradients() ? shard : whole)
                * (several ? DType.FP32 : settings.gradients()).bytes();
        long passing = passing(units, weightType, stage);
        if (stage.cutsGradients()) {
            // The gradients of a tied head wait for those of the embedding, and these come last.
            long inPass = tied ? units.get(0).elements() + twoAtOnce(units.subList(1, units.size())) : twoAtOnce(units);
            gradients += inPass * settings.gradients().bytes();
            passing += inPass * settings.gradients().bytes();
        }
        int kinds = Optimizer.of(settings.optimizer()).stateNames().size() + (weightType == DType.FP32 ? 0 : 1);
        return new EngineMemory(
                weights(units, weightType, stage, ranks),
                gradients,
                states * kinds * DType.FP32.bytes(),
                settings.emaDecay() > 0 ? states * DType.FP32.bytes() : 0,
                settings.statesOnDisk().isPresent(),
                passing);
    }

    /** Bytes of a model's weights alone: all that a model has that only computes. */
    public static long weights(List<ParameterUnit> units, DType type, ZeroStage stage, int ranks) {
        long elements = stage.cutsWeights()
                ? sum(units, unit -> shard(unit, ranks)) + twoAtOnce(units)
                : sum(units, ParameterUnit::elements);
        return elements * type.bytes();
    }

    /** How much of {@link #weights} is there only while a pass goes through the model. */
    public static long passing(List<ParameterUnit> units, DType type, ZeroStage stage) {
        return stage.cutsWeights() ? twoAtOnce(units) * type.bytes() : 0;
    }

    private static long shard(ParameterUnit unit, int ranks) {
        return Shards.ofBlocks(unit.elements(), ParameterUnit.ALIGNMENT, ranks).size(0);
    }

    /** Bytes of what a rank saves of a model: fp32 masters, states and average of its share, at every stage. */
    public static long saved(List<ParameterUnit> units, EngineSettings settings, int ranks) {
        long share = sum(units, unit -> Shards.ofBlocks(unit.elements(), ParameterUnit.ALIGNMENT, ranks)
                .size(0));
        int kinds = 1 + Optimizer.of(settings.optimizer()).stateNames().size() + (settings.emaDecay() > 0 ? 1 : 0);
        return share * kinds * DType.FP32.bytes();
    }

    private static long sum(List<ParameterUnit> units, ToLongFunction<ParameterUnit> elements) {
        return units.stream().mapToLong(elements).sum();
    }

    private static long twoAtOnce(List<ParameterUnit> units) {
        long most = 0;
        for (int i = 0; i < units.size(); i++) {
            long next = i + 1 < units.size() ? units.get(i + 1).elements() : 0;
            most = Math.max(most, units.get(i).elements() + next);
        }
        return most;
    }

    /** All that is in memory. */
    public long bytes() {
        return weights + gradients + (onDisk ? 0 : optimizer + average);
    }

    /** What lies on disk. */
    public long diskBytes() {
        return onDisk ? optimizer + average : 0;
    }
}
