package io.rlhf4j.driver.bench;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.model.TokenLogProbs;
import io.rlhf4j.optimizer.GradientClipping;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** One optimizer step on one batch, with nothing around it: no ranks, no checkpoints, no metrics. */
final class BenchStep {
    private static final double LEARNING_RATE = 1e-5;

    private final Scope scope;
    private final CausalLanguageModel model;
    private final TokenBatch batch;
    private final int[] rows;
    private final int[] targets;
    private final Optimizer optimizer =
            Optimizer.of(ConfigFile.parse(OptimizerConfig.class, "{learning_rate: 1.0e-5, clip_norm: 1}"));
    private final GradientClipping clipping = new GradientClipping(1);
    private final List<Tensor> masters = new ArrayList<>();
    private final List<List<Tensor>> states = new ArrayList<>();
    private long step;

    BenchStep(Scope scope, CausalLanguageModel model, TokenBatch batch) {
        this.scope = scope;
        this.model = model;
        this.batch = batch;
        model.allocateGradients(scope, model.type());
        for (ParameterUnit unit : model.units()) {
            masters.add(master(unit));
            states.add(optimizer.stateNames().stream()
                    .map(name -> scope.zeros(DType.FP32, unit.elements()))
                    .toList());
        }
        int predicted = batch.tokens() - batch.sequences();
        rows = new int[predicted];
        targets = new int[predicted];
        int next = 0;
        for (int token = 0; token + 1 < batch.tokens(); token++) {
            if (batch.positions()[token + 1] > 0) {
                rows[next] = token;
                targets[next++] = batch.ids()[token + 1];
            }
        }
    }

    /** The fp32 values that the optimizer changes: the weights themselves, or their masters. */
    private Tensor master(ParameterUnit unit) {
        if (unit.values().type() == DType.FP32) {
            return unit.values();
        }
        Tensor master = scope.allocate(DType.FP32, unit.elements());
        scope.backend().copy(unit.values(), master);
        return master;
    }

    void run() {
        float share = -1f / rows.length;
        try (Scope work = scope.child("step")) {
            TokenLogProbs logProbs = model.logProbsAndBackward(
                    work, batch, rows, targets, 1f, (index, logProb, entropy) -> share, false);
            if (!Float.isFinite(logProbs.logProbs()[0])) {
                throw new IllegalStateException("the loss is not finite");
            }
        }
        double squares = model.units().stream()
                .mapToDouble(unit -> scope.backend().sumOfSquares(unit.gradients()))
                .sum();
        double scale = clipping.factor(Math.sqrt(squares));
        step++;
        for (int i = 0; i < masters.size(); i++) {
            ParameterUnit unit = model.units().get(i);
            optimizer.step(step, LEARNING_RATE, scale, true, masters.get(i), unit.gradients(), states.get(i));
            if (masters.get(i) != unit.values()) {
                scope.backend().copy(masters.get(i), unit.values());
            }
            unit.clearGradients();
        }
    }
}
