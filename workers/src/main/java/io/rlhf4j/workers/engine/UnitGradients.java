package io.rlhf4j.workers.engine;

import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Pending;

/** The gradients of a unit in one step: summed over micro-batches and over ranks. */
sealed interface UnitGradients {
    /**
     * Gives them memory where they need it at once.
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

    /** The optimizer has used them: gives their memory back, which another model's step may take. */
    void endStep();

    /** Gives back what is left in the middle of a step. */
    void close();

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
            unit.allocateGradients(scope, several ? DType.FP32 : type);
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
        public void endStep() {
            scope.free(unit.gradients());
            unit.setGradients(null);
        }

        @Override
        public void close() {
            if (unit.gradients() != null) {
                endStep();
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
            sum = scope.allocate(several ? DType.FP32 : type, shards.own().elements());
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
        public void endStep() {
            scope.free(sum);
            sum = null;
        }

        @Override
        public void close() {
            unit.setGradientsInTime(false);
            unit.setGradients(null);
            if (sum != null) {
                endStep();
            }
        }
    }
}
