package io.rlhf4j.workers.engine;

import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Pending;

/** The weights of a unit: whole on every rank, or only while they are in use. */
sealed interface UnitWeights {
    /** What this rank's optimizer changes of them. */
    Tensor updated();

    /** The ranks have changed their parts. */
    Pending startUpdate();

    /** Begins to make the unit's values whole. */
    Pending startGather();

    /** Nobody reads the unit's values for a while. */
    void release();

    /**
     * Has the unit's values be {@code average} from now on.
     *
     * @param average as large as {@link #updated}, fp32; null to have the trained weights again
     */
    void standIn(Tensor average);

    /**
     * The weights of a unit at a stage.
     *
     * @param owner holds the unit's values now; they are freed where they are cut
     * @param scope for what is held from now on
     */
    static UnitWeights of(ZeroStage stage, UnitShards shards, Scope owner, Scope scope) {
        return stage.cutsWeights() ? new Cut(shards, owner, scope) : new Whole(shards, scope, stage.cutsStates());
    }

    /** Held whole. */
    final class Whole implements UnitWeights {
        private final ParameterUnit unit;
        private final UnitShards shards;
        private final Scope scope;
        private final Tensor trained;
        private final boolean ownShardChanges;
        private Tensor temporary;

        Whole(UnitShards shards, Scope scope, boolean ownShardChanges) {
            this.unit = shards.unit();
            this.shards = shards;
            this.scope = scope;
            this.trained = unit.values();
            this.ownShardChanges = ownShardChanges;
        }

        @Override
        public Tensor updated() {
            return ownShardChanges ? shards.own().of(trained) : trained;
        }

        @Override
        public Pending startUpdate() {
            return ownShardChanges ? shards.startAllGather(updated(), trained) : Pending.NOTHING;
        }

        @Override
        public Pending startGather() {
            return Pending.NOTHING;
        }

        @Override
        public void release() {
            // They stay.
        }

        @Override
        public void standIn(Tensor average) {
            if (temporary != null) {
                scope.free(temporary);
                temporary = null;
            }
            if (average != null && ownShardChanges) {
                temporary = scope.allocate(DType.FP32, unit.elements());
                shards.startAllGather(average, temporary).await();
                unit.setValues(temporary);
            } else {
                unit.setValues(average == null ? trained : average);
            }
        }
    }

    /** This rank's shard alone; the whole from gather to release. */
    final class Cut implements UnitWeights {
        private final ParameterUnit unit;
        private final UnitShards shards;
        private final Scope scope;
        private final Tensor trained;
        private Tensor source;

        Cut(UnitShards shards, Scope owner, Scope scope) {
            this.unit = shards.unit();
            this.shards = shards;
            this.scope = scope;
            Tensor whole = unit.values();
            this.trained = scope.allocate(whole.type(), shards.own().elements());
            whole.backend().copy(shards.own().of(whole), trained);
            this.source = trained;
            owner.free(whole);
            unit.setValues(null);
        }

        @Override
        public Tensor updated() {
            return trained;
        }

        @Override
        public Pending startUpdate() {
            return Pending.NOTHING;
        }

        @Override
        public Pending startGather() {
            Tensor whole = scope.allocate(source.type(), unit.elements());
            return shards.startAllGather(source, whole).then(() -> unit.setValues(whole));
        }

        @Override
        public void release() {
            scope.free(unit.values());
            unit.setValues(null);
        }

        @Override
        public void standIn(Tensor average) {
            source = average == null ? trained : average;
        }
    }
}
