package io.rlhf4j.workers.engine;

import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.optimizer.Ema;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What an optimizer keeps of a range of a unit, in flat tensors: fp32 masters, states, moving average. */
final class OptimizerShard {
    private static final String MASTER = "master";
    private static final String AVERAGE = "average";

    private final UnitRange range;
    private final List<ParameterSlice> slices;
    private final Optimizer optimizer;
    private final Tensor weights;
    private final Tensor master;
    private final List<Tensor> states = new ArrayList<>();
    private final Ema ema;
    private final Tensor average;

    /**
     * The states of a first step.
     *
     * @param weights of the range, [range.elements()]: what a step changes. In fp32 they are their own masters.
     * @param emaDecay 0 keeps no average
     */
    OptimizerShard(UnitRange range, Tensor weights, Scope scope, Optimizer optimizer, double emaDecay) {
        this.range = range;
        this.slices = range.slices();
        this.optimizer = optimizer;
        this.weights = weights;
        this.master = weights.type() == DType.FP32 ? weights : copy(scope, weights);
        for (int i = 0; i < optimizer.stateNames().size(); i++) {
            states.add(scope.zeros(DType.FP32, range.elements()));
        }
        this.ema = new Ema(emaDecay);
        this.average = emaDecay > 0 ? copy(scope, weights) : null;
        willNeed(false);
    }

    private static Tensor copy(Scope scope, Tensor values) {
        Tensor copy = scope.allocate(DType.FP32, values.shape());
        values.backend().copy(values, copy);
        return copy;
    }

    /** Begins to read what lies on disk, or lets it leave memory. */
    void willNeed(boolean soon) {
        states.forEach(state -> state.backend().willNeed(state, soon));
        if (master != weights) {
            master.backend().willNeed(master, soon);
        }
        if (average != null) {
            average.backend().willNeed(average, soon);
        }
    }

    /** Changes the weights by the optimizer's rule; {@code gradients} are those of the range. */
    void step(long step, double learningRate, double gradientScale, Tensor gradients) {
        for (ParameterSlice slice : slices) {
            optimizer.step(
                    step,
                    learningRate,
                    gradientScale,
                    slice.parameter().decayed(),
                    slice.of(master),
                    slice.of(gradients),
                    states.stream().map(slice::of).toList());
        }
        roundWeights();
        if (average != null) {
            ema.update(average, master);
        }
        willNeed(false);
    }

    /** All that {@link #restore} needs of {@code part}, which lies in the range. */
    List<NamedTensor> tensors(UnitRange part) {
        List<NamedTensor> tensors = new ArrayList<>();
        for (ParameterSlice slice : part.slices()) {
            tensors.add(slice.named(MASTER, part.of(master, range)));
            for (int i = 0; i < states.size(); i++) {
                tensors.add(slice.named(optimizer.stateNames().get(i), part.of(states.get(i), range)));
            }
            if (average != null) {
                tensors.add(slice.named(AVERAGE, part.of(average, range)));
            }
        }
        return tensors;
    }

    void restore(SavedPieces saved) throws IOException {
        for (ParameterSlice slice : slices) {
            saved.read(MASTER, slice, master);
            for (int i = 0; i < states.size(); i++) {
                saved.read(optimizer.stateNames().get(i), slice, states.get(i));
            }
            if (average != null) {
                saved.read(AVERAGE, slice, average);
            }
        }
        roundWeights();
        willNeed(false);
    }

    private void roundWeights() {
        if (master != weights) {
            master.backend().copy(master, weights);
        }
    }

    /** The moving average of the range, fp32; null where none is kept. */
    Tensor average() {
        return average;
    }
}
