package io.rlhf4j.workers.engine;

import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.List;

/** A unit on one of the ranks that train it together: as much of its weights, gradients and states as the stage says. */
record TrainedUnit(
        ParameterUnit unit, UnitRange shard, UnitWeights weights, UnitGradients gradients, OptimizerShard states) {

    static TrainedUnit of(
            ParameterUnit unit, EngineSettings settings, Optimizer optimizer, WeightCutting cutting, Scope ofStates) {
        UnitShards shards = new UnitShards(unit, cutting.collectives());
        UnitWeights weights = cutting.of(unit);
        UnitGradients gradients = UnitGradients.of(settings.stage(), shards, cutting.scope(), settings.gradients());
        UnitRange updated = settings.stage().cutsStates() ? shards.own() : UnitRange.whole(unit);
        OptimizerShard states =
                new OptimizerShard(updated, weights.updated(), ofStates, optimizer, settings.emaDecay());
        return new TrainedUnit(unit, shards.own(), weights, gradients, states);
    }

    /** The optimizer comes to the unit soon. */
    void willStep() {
        states.willNeed(true);
    }

    void step(long step, double learningRate, double gradientScale) {
        states.step(step, learningRate, gradientScale, gradients.reduced());
    }

    /** This rank's part of the squared norm of the gradients: that of its shard, at every stage, so that sums agree. */
    double squaredNorm() {
        Tensor own = gradients.ownShard();
        return own.backend().sumOfSquares(own);
    }

    /** What this rank saves: its shard, also where it holds more. */
    List<NamedTensor> share() {
        return states.tensors(shard);
    }

    void useAverage() {
        if (states.average() == null) {
            throw new IllegalStateException("no moving average is kept of unit " + unit.name());
        }
        weights.standIn(states.average());
    }

    void useTrained() {
        weights.standIn(null);
    }
}
