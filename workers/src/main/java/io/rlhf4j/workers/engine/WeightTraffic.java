package io.rlhf4j.workers.engine;

import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.Passes;
import io.rlhf4j.model.UnitHooks;
import io.rlhf4j.workers.collective.Collectives;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** What ranks exchange so that passes find a model's weights: nothing where they are whole. */
final class WeightTraffic implements UnitHooks, Passes {
    private final LayeredModel model;
    private final Collectives collectives;
    private final Gathering gathering;
    private final Stopwatch stopwatch;
    private final boolean valuesStay;

    WeightTraffic(LayeredModel model, WeightCutting cutting, Stopwatch stopwatch) {
        this.model = model;
        this.collectives = cutting.collectives();
        this.stopwatch = stopwatch;
        this.valuesStay = !cutting.stage().cutsWeights();
        Map<ParameterUnit, UnitWeights> weights = new HashMap<>();
        model.units().forEach(unit -> weights.put(unit, cutting.of(unit)));
        this.gathering = new Gathering(model, weights);
    }

    @Override
    public boolean valuesStay() {
        return valuesStay;
    }

    @Override
    public void beforeUse(ParameterUnit unit) {
        stopwatch.time(() -> gathering.beforeUse(unit));
    }

    @Override
    public void afterUse(ParameterUnit unit) {
        gathering.afterUse(unit);
    }

    /** The next pass goes forward and back. */
    void beginTraining() {
        gathering.beginTraining();
    }

    @Override
    public void forward(List<Runnable> passes) {
        double most = collectives.allReduceMax(new double[] {passes.size()})[0];
        for (int pass = 0; pass < most; pass++) {
            if (pass < passes.size()) {
                passes.get(pass).run();
            } else {
                // Others need this rank's part of the weights.
                model.uses().forEach(use -> idleUse(use, none -> {}));
            }
        }
        finish();
    }

    /** Reads, while other ranks do: each uses every unit once, in their order. */
    void read(Runnable reading) {
        gathering.beginReading();
        reading.run();
        finish();
    }

    /** Uses every unit once, so that others may read it. */
    void useEach() {
        model.units().forEach(unit -> idleUse(List.of(unit), none -> {}));
    }

    /** Takes this rank's part in a use of units by others. */
    void idleUse(List<ParameterUnit> use, Consumer<ParameterUnit> within) {
        use.forEach(this::beforeUse);
        use.forEach(within);
        use.forEach(this::afterUse);
    }

    /** All passes are done: keeps nothing whole that is cut. */
    void finish() {
        stopwatch.time(gathering::releaseAll);
    }
}
