package io.rlhf4j.workers.engine;

import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.UnitHooks;
import io.rlhf4j.workers.collective.Pending;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What ranks exchange while a model is trained: weights before their use, gradients once they are complete. While a unit's
 * gradients are on their way those of the next are computed.
 */
final class UnitTraffic implements UnitHooks {
    private final LayeredModel model;
    private final Map<ParameterUnit, TrainedUnit> units;
    private final WeightTraffic weights;
    private final Stopwatch stopwatch;
    private final Deque<Pending> reductions = new ArrayDeque<>();

    UnitTraffic(LayeredModel model, List<TrainedUnit> units, WeightTraffic weights, Stopwatch stopwatch) {
        this.model = model;
        this.units = units.stream().collect(Collectors.toMap(TrainedUnit::unit, Function.identity()));
        this.weights = weights;
        this.stopwatch = stopwatch;
    }

    @Override
    public boolean valuesStay() {
        return weights.valuesStay();
    }

    @Override
    public void beforeUse(ParameterUnit unit) {
        weights.beforeUse(unit);
    }

    @Override
    public void afterUse(ParameterUnit unit) {
        weights.afterUse(unit);
    }

    @Override
    public void beforeGradients(ParameterUnit unit) {
        units.get(unit).gradients().beforeBackward();
    }

    @Override
    public void gradientsReady(ParameterUnit unit) {
        reductions.add(units.get(unit).gradients().startReduceOfMicroBatch());
        awaitAllBut(1);
    }

    /** A micro-batch begins. */
    void beginTraining() {
        weights.beginTraining();
    }

    /** Takes this rank's part in what the others exchange over one micro-batch, without one of its own. */
    void idleTraining() {
        beginTraining();
        List<List<ParameterUnit>> uses = model.uses();
        for (List<ParameterUnit> use : uses.subList(0, uses.size() - 1)) {
            weights.idleUse(use, none -> {});
        }
        for (int i = uses.size() - 1; i >= 0; i--) {
            Set<ParameterUnit> earlier = new HashSet<>();
            uses.subList(0, i).forEach(earlier::addAll);
            List<ParameterUnit> use = uses.get(i);
            weights.idleUse(use, this::beforeGradients);
            use.stream().filter(unit -> !earlier.contains(unit)).forEach(this::gradientsReady);
        }
    }

    /** All micro-batches are done: waits for what is on the way, and keeps nothing whole that is cut. */
    void finish() {
        awaitAllBut(0);
        weights.finish();
    }

    private void awaitAllBut(int number) {
        while (reductions.size() > number) {
            stopwatch.time(reductions.remove()::await);
        }
    }
}
