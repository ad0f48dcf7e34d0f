package io.rlhf4j.workers.engine;

import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Pending;

/** The gradients of a unit in one step: summed over micro-batches and over ranks. */
sealed interface UnitGradients {
    /**
     * Sets them to zero.
     *
     * @param several whether some rank has several micro-batches in this step: then they are summed in fp32, on all ranks,
     *     for sums of many BF16 terms lose the small ones
     */
    void beginStep(boolean several);

    /** Before the backward pass adds to the unit's tensor of gradients. */
    void beforeBackward();

    /** The backward pass of a micro-batch is through with the unit. */
    Pending startReduceOfMicroBatch();

    /** All micro-batches are done. */
    Pending startReduceOfStep();

    /** Summed over all ranks, as much as the optimizer needs. */
    Tensor reduced();

    /** Summed over all ranks, this rank's shard. */
    Tensor ownShard();

    /** Frees the memory. */
    void free();

    /** The gradients of a unit at a stage. */
    static UnitGradients of(ZeroStage stage, UnitShards shards, Scope scope, DType type) {
        return stage.cutsGradients()
                ? new Reduced(shards, scope, type)
                : new Whole(shards, scope, type, stage.cutsStates());
    }

    /** Held whole through all micro-batches, reduced once in a step. */
    final class Whole implements UnitGradients {
        private final ParameterUnit unit;
        private final UnitShards shards;
        private final Scope scope;
        private final DType type;
        private final boolean ownShardOnly;

        Whole(UnitShards shards, Scope scope, DType type, boolean ownShardOnly) {
            this.unit = shards.unit();
            this.shards = shards;
            this.scope = scope;
            this.type = type;
            this.ownShardOnly = ownShardOnly;
        }

        @Override
        public void beginStep(boolean several) {
            DType summed = several ? DType.FP32 : type;
            if (unit.gradients() != null && unit.gradients().type() == summed) {
                unit.clearGradients();
            } else {
                free();
                unit.allocateGradients(scope, summed);
            }
        }

        @Override
        public void beforeBackward() {
            // They are there already.
        }

        @Override
        public Pending startReduceOfMicroBatch() {
            return Pending.NOTHING;
        }

        @Override
        public Pending startReduceOfStep() {
            return ownShardOnly
                    ? shards.startReduceScatter(unit.gradients(), ownShard())
                    : shards.startAllReduce(unit.gradients());
        }

        @Override
        public Tensor reduced() {
            return ownShardOnly ? ownShard() : unit.gradients();
        }

        @Override
        public Tensor ownShard() {
            return shards.own().of(unit.gradients());
        }

        @Override
        public void free() {
            if (unit.gradients() != null) {
                scope.free(unit.gradients());
                unit.setGradients(null);
            }
        }
    }

    /** Reduced after every micro-batch: whole only while a backward pass adds to them and until they are sent. */
    final class Reduced implements UnitGradients {
        private final ParameterUnit unit;
        private final UnitShards shards;
        private final Scope scope;
        private final DType type;
        private Tensor sum;
        private boolean several;
        private boolean begun;

        Reduced(UnitShards shards, Scope scope, DType type) {
            this.unit = shards.unit();
            this.shards = shards;
            this.scope = scope;
            this.type = type;
            unit.setGradientsInTime(true);
        }

        @Override
        public void beginStep(boolean someRankHasSeveral) {
            several = someRankHasSeveral;
            begun = false;
            DType summed = several ? DType.FP32 : type;
            if (sum == null || sum.type() != summed) {
                freeSum();
                sum = scope.allocate(summed, shards.own().elements());
            }
        }

        @Override
        public void beforeBackward() {
            if (unit.gradients() == null) {
                unit.allocateGradients(scope, type);
            }
        }

        @Override
        public Pending startReduceOfMicroBatch() {
            Tensor whole = unit.gradients();
            Tensor part = several ? shards.own().of(whole) : sum;
            Pending reduction = shards.startReduceScatter(whole, part);
            unit.setGradients(null);
            return reduction.then(() -> {
                if (several) {
                    add(part);
                }
                scope.free(whole);
            });
        }

        private void add(Tensor part) {
            if (begun) {
                sum.backend().addScaled(1f, part, sum);
            } else {
                sum.backend().copy(part, sum);
            }
            begun = true;
        }

        @Override
        public Pending startReduceOfStep() {
            return Pending.NOTHING;
        }

        @Override
        public Tensor reduced() {
            return sum;
        }

        @Override
        public Tensor ownShard() {
            return sum;
        }

        @Override
        public void free() {
            unit.setGradientsInTime(false);
            unit.setGradients(null);
            freeSum();
        }

        private void freeSum() {
            if (sum != null) {
                scope.free(sum);
                sum = null;
            }
        }
    }
}
