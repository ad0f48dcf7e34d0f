package io.rlhf4j.workers.engine;

import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.model.Parameter;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.optimizer.Ema;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What an optimizer keeps of one unit, in flat tensors laid out like the unit: fp32 masters, states, moving average. */
final class UnitState {
    private final ParameterUnit unit;
    private final Optimizer optimizer;
    private final Tensor master;
    private final List<Tensor> states = new ArrayList<>();
    private final Ema ema;
    private final Tensor average;
    private final Tensor trained;
    private final Scope scope;
    private Tensor sum;
    private boolean summing;

    UnitState(ParameterUnit unit, Scope scope, Optimizer optimizer, double emaDecay) {
        this.unit = unit;
        this.optimizer = optimizer;
        this.scope = scope;
        this.trained = unit.values();
        int elements = unit.elements();
        // In fp32 the weights are their own masters.
        master = trained.type() == DType.FP32 ? trained : copy(scope, trained);
        for (int i = 0; i < optimizer.stateNames().size(); i++) {
            states.add(scope.zeros(DType.FP32, elements));
        }
        ema = new Ema(emaDecay);
        average = emaDecay > 0 ? copy(scope, trained) : null;
    }

    private static Tensor copy(Scope scope, Tensor values) {
        Tensor copy = scope.allocate(DType.FP32, values.shape());
        values.backend().copy(values, copy);
        return copy;
    }

    ParameterUnit unit() {
        return unit;
    }

    /**
     * Sets the gradients to zero.
     *
     * @param several whether some rank has several micro-batches in this step: then BF16 gradients are summed in fp32, on
     *     all ranks, for sums of many BF16 terms lose the small ones
     */
    void beginStep(boolean several) {
        unit.clearGradients();
        summing = several && unit.gradients().type() == DType.BF16;
        if (summing && sum == null) {
            sum = scope.allocate(DType.FP32, unit.elements());
        }
        if (summing) {
            sum.backend().fill(sum, 0f);
        }
    }

    /** A micro-batch is done: its gradients join the sum. */
    void accumulate() {
        if (summing) {
            sum.backend().addScaled(1f, unit.gradients(), sum);
            unit.clearGradients();
        }
    }

    /** The gradients of the step, flat. */
    Tensor gradients() {
        return summing ? sum : unit.gradients();
    }

    double squaredGradientNorm() {
        return gradients().backend().sumOfSquares(gradients());
    }

    void step(long step, double learningRate, double gradientScale) {
        for (Parameter parameter : unit.parameters()) {
            optimizer.step(
                    step,
                    learningRate,
                    gradientScale,
                    parameter.decayed(),
                    parameter.viewOf(master).flatten(),
                    parameter.viewOf(gradients()).flatten(),
                    states.stream()
                            .map(state -> parameter.viewOf(state).flatten())
                            .toList());
        }
        if (master != trained) {
            master.backend().copy(master, trained);
        }
        if (average != null) {
            ema.update(average, master);
        }
    }

    List<NamedTensor> tensors() {
        List<NamedTensor> tensors = new ArrayList<>();
        for (Parameter parameter : unit.parameters()) {
            tensors.add(NamedTensor.of("master/" + parameter.name(), parameter.viewOf(master)));
            for (int i = 0; i < states.size(); i++) {
                tensors.add(NamedTensor.of(stateName(i) + parameter.name(), parameter.viewOf(states.get(i))));
            }
            if (average != null) {
                tensors.add(NamedTensor.of("average/" + parameter.name(), parameter.viewOf(average)));
            }
        }
        return tensors;
    }

    void restore(TensorReader tensors) throws IOException {
        for (Parameter parameter : unit.parameters()) {
            tensors.read("master/" + parameter.name(), parameter.viewOf(master));
            for (int i = 0; i < states.size(); i++) {
                tensors.read(stateName(i) + parameter.name(), parameter.viewOf(states.get(i)));
            }
            if (average != null) {
                tensors.read("average/" + parameter.name(), parameter.viewOf(average));
            }
        }
        if (master != trained) {
            master.backend().copy(master, trained);
        }
    }

    private String stateName(int index) {
        return optimizer.stateNames().get(index) + "/";
    }

    void useAverage() {
        if (average == null) {
            throw new IllegalStateException("no moving average is kept of unit " + unit.name());
        }
        unit.setValues(average);
    }

    void useTrained() {
        unit.setValues(trained);
    }
}
