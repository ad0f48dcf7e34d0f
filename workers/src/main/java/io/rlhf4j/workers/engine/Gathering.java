package io.rlhf4j.workers.engine;

import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.workers.collective.Pending;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes a cut model's units whole when they are used: at any time those in use are whole and, on the way, the one that
 * comes next. All ranks use the units in one order, so that they begin the same gathers in the same order.
 */
final class Gathering {
    private final Map<ParameterUnit, UnitWeights> weights;
    private final List<ParameterUnit> each;
    private final List<ParameterUnit> forward;
    private final List<ParameterUnit> forwardAndBack;
    private final Map<ParameterUnit, Pending> gathered = new LinkedHashMap<>();
    private final Set<ParameterUnit> inUse = new HashSet<>();
    private List<ParameterUnit> order;
    private ParameterUnit last;
    private int next;

    Gathering(LayeredModel model, Map<ParameterUnit, UnitWeights> weights) {
        this.weights = weights;
        this.each = model.units();
        this.forward = model.uses().stream().flatMap(List::stream).toList();
        this.forwardAndBack = new ArrayList<>(forward);
        for (int use = model.uses().size() - 2; use >= 0; use--) {
            forwardAndBack.addAll(model.uses().get(use));
        }
        this.order = forward;
    }

    /** The next pass goes forward and back; without such notice passes go forward only. */
    void beginTraining() {
        begin(forwardAndBack);
    }

    /** The next pass goes through all units once. */
    void beginReading() {
        begin(each);
    }

    private void begin(List<ParameterUnit> newOrder) {
        order = newOrder;
        next = 0;
        last = null;
    }

    void beforeUse(ParameterUnit unit) {
        if (unit != last) {
            last = unit;
            next = following(unit);
            releaseAllBut(unit);
        }
        gathered.computeIfAbsent(unit, this::start).await();
        inUse.add(unit);
        if (next < order.size()) {
            gathered.computeIfAbsent(order.get(next), this::start);
        }
    }

    /** Where the order goes on after the next use of {@code unit}: in this pass, else in one more of the same kind. */
    private int following(ParameterUnit unit) {
        int ahead = order.subList(next, order.size()).indexOf(unit);
        return ahead >= 0 ? next + ahead + 1 : order.indexOf(unit) + 1;
    }

    private Pending start(ParameterUnit unit) {
        return weights.get(unit).startGather();
    }

    void afterUse(ParameterUnit unit) {
        inUse.remove(unit);
    }

    /** No pass is under way. */
    void releaseAll() {
        inUse.clear();
        releaseAllBut(null);
        begin(forward);
    }

    private void releaseAllBut(ParameterUnit kept) {
        for (ParameterUnit unit : List.copyOf(gathered.keySet())) {
            if (unit != kept && !inUse.contains(unit)) {
                gathered.remove(unit).await();
                weights.get(unit).release();
            }
        }
    }
}
