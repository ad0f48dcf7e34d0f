package io.rlhf4j.workers.engine;

import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.optimizer.GradientClipping;
import io.rlhf4j.optimizer.LearningRateSchedule;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The engine in which every rank holds the whole model and its states (ZeRO's stage 0): gradients are summed over ranks,
 * then every rank makes the same optimizer step.
 */
public final class DataParallelEngine implements TrainingEngine {
    private final Scope scope;
    private final Collectives collectives;
    private final OptimizerConfig settings;
    private final LearningRateSchedule schedule;
    private final GradientClipping clipping;
    private final List<UnitState> units = new ArrayList<>();
    private EngineProgress progress = EngineProgress.START;

    /**
     * An engine for a model's units, whose values are set.
     *
     * @param scope holds gradients, masters, states and average
     * @param plannedSteps over which the learning rate follows its schedule
     * @param gradientType of one micro-batch; several are summed in fp32 whatever it is
     * @param emaDecay of the weights' moving average; 0 keeps none
     */
    public DataParallelEngine(
            List<ParameterUnit> units,
            Scope scope,
            OptimizerConfig settings,
            long plannedSteps,
            Collectives collectives,
            DType gradientType,
            double emaDecay) {
        this.scope = scope.child("engine");
        this.collectives = collectives;
        this.settings = settings;
        this.schedule = LearningRateSchedule.of(settings.schedule(), settings.learningRate(), plannedSteps);
        this.clipping = new GradientClipping(settings.clipNorm());
        Optimizer optimizer = Optimizer.of(settings);
        for (ParameterUnit unit : units) {
            unit.allocateGradients(this.scope, gradientType);
            this.units.add(new UnitState(unit, this.scope, optimizer, emaDecay));
        }
    }

    @Override
    public StepResult step(List<Backward> microBatches) {
        boolean several = collectives.allReduceMax(new double[] {microBatches.size()})[0] > 1;
        units.forEach(unit -> unit.beginStep(several));
        double loss = 0;
        for (Backward microBatch : microBatches) {
            try (Scope work = scope.child("micro-batch")) {
                loss += microBatch.run(work);
            }
            units.forEach(UnitState::accumulate);
        }
        long begin = System.nanoTime();
        loss = collectives.allReduceSum(new double[] {loss})[0];
        units.forEach(unit -> collectives.allReduceSum(unit.gradients()));
        double seconds = (System.nanoTime() - begin) * 1e-9;
        double squares = 0;
        for (UnitState unit : units) {
            squares += unit.squaredGradientNorm();
        }
        double norm = Math.sqrt(squares);
        double rate = schedule.rate(progress.position());
        // Loss and norm are sums over all ranks, so all ranks skip together.
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            skip(loss, norm);
            return new StepResult(loss, norm, rate, true, seconds);
        }
        long update = progress.updates() + 1;
        units.forEach(unit -> unit.step(update, rate, clipping.factor(norm)));
        progress = new EngineProgress(progress.position() + 1, update, progress.skipped());
        return new StepResult(loss, norm, rate, false, seconds);
    }

    private void skip(double loss, double norm) {
        progress = new EngineProgress(progress.position() + 1, progress.updates(), progress.skipped() + 1);
        if (progress.skipped() > settings.maxSkippedSteps()) {
            throw Rlhf4jException.data(
                    ("%d steps had a loss or gradient that is not finite (last: loss %s, gradient norm %s), more than"
                                    + " max_skipped_steps allows; look for bad rows, or lower the learning rate")
                            .formatted(progress.skipped(), loss, norm));
        }
    }

    @Override
    public void passOver(long steps) {
        progress = new EngineProgress(progress.position() + steps, progress.updates(), progress.skipped());
    }

    @Override
    public EngineProgress progress() {
        return progress;
    }

    @Override
    public List<NamedTensor> state() {
        return units.stream().flatMap(unit -> unit.tensors().stream()).toList();
    }

    @Override
    public void restore(EngineProgress saved, TensorReader tensors) throws IOException {
        for (UnitState unit : units) {
            unit.restore(tensors);
        }
        progress = saved;
    }

    @Override
    public void withAveragedWeights(Runnable action) {
        units.forEach(UnitState::useAverage);
        try {
            action.run();
        } finally {
            units.forEach(UnitState::useTrained);
        }
    }

    @Override
    public void close() {
        units.forEach(unit -> unit.unit().setGradients(null));
        scope.close();
    }
}
