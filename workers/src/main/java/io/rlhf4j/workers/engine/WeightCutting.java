package io.rlhf4j.workers.engine;

import io.rlhf4j.model.LoadedUnits;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import java.util.HashMap;
import java.util.Map;

/**
 * What this rank keeps of a model's weights. Told of units while they are loaded, it cuts each before the next is read: where
 * the stage cuts weights, no rank ever holds more of the model than its own part and one unit.
 */
public final class WeightCutting implements LoadedUnits, AutoCloseable {
    private final ZeroStage stage;
    private final Collectives collectives;
    private final Scope owner;
    private final Scope scope;
    private final Map<ParameterUnit, UnitWeights> weights = new HashMap<>();

    /**
     * Of one model.
     *
     * @param stage what is cut
     * @param owner the scope that holds the model's values, which are freed where they are cut
     */
    public WeightCutting(ZeroStage stage, Collectives collectives, Scope owner) {
        this.stage = stage;
        this.collectives = collectives;
        this.owner = owner;
        this.scope = owner.child("shards");
    }

    @Override
    public void loaded(ParameterUnit unit) {
        weights.computeIfAbsent(unit, each -> UnitWeights.of(stage, new UnitShards(each, collectives), owner, scope));
    }

    /** The weights of a unit, cut now unless that was done when it was loaded. */
    UnitWeights of(ParameterUnit unit) {
        loaded(unit);
        return weights.get(unit);
    }

    ZeroStage stage() {
        return stage;
    }

    Collectives collectives() {
        return collectives;
    }

    /** Where the model's values lie that are whole. */
    Scope owner() {
        return owner;
    }

    /** For what the rank holds of the model beside values that are whole. */
    Scope scope() {
        return scope;
    }

    /** Frees what is cut. */
    @Override
    public void close() {
        scope.close();
    }
}
