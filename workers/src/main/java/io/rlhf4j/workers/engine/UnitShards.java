package io.rlhf4j.workers.engine;

import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Pending;
import io.rlhf4j.workers.collective.Shards;

/** A unit cut in as many shards as there are ranks, and what the ranks do with tensors that are cut so. */
final class UnitShards {
    private final ParameterUnit unit;
    private final Collectives collectives;
    private final Shards shards;
    private final UnitRange own;

    UnitShards(ParameterUnit unit, Collectives collectives) {
        this.unit = unit;
        this.collectives = collectives;
        this.shards = Shards.ofBlocks(unit.elements(), ParameterUnit.ALIGNMENT, collectives.worldSize());
        int rank = collectives.rank();
        this.own = new UnitRange(unit, Math.toIntExact(shards.from(rank)), Math.toIntExact(shards.to(rank)));
    }

    ParameterUnit unit() {
        return unit;
    }

    /** The shard of this rank. */
    UnitRange own() {
        return own;
    }

    /** Begins to sum flat tensors over the ranks. */
    Pending startAllReduce(Tensor whole) {
        return collectives.startAllReduceSum(whole);
    }

    /** Begins to sum flat tensors over the ranks, this rank's shard of it into {@code part}. */
    Pending startReduceScatter(Tensor whole, Tensor part) {
        return collectives.startReduceScatterSum(whole, shards, part);
    }

    /** Begins to put the ranks' parts together. */
    Pending startAllGather(Tensor part, Tensor whole) {
        return collectives.startAllGather(part, shards, whole);
    }
}
