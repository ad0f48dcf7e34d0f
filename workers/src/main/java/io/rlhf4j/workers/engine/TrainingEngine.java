package io.rlhf4j.workers.engine;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.Passes;
import io.rlhf4j.model.UnitHooks;
import io.rlhf4j.optimizer.GradientClipping;
import io.rlhf4j.optimizer.LearningRateSchedule;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Pending;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Trains one model on all ranks, each of which holds what its {@link ZeroStage} leaves it (Rajbhandari et al. 2020). Every
 * rank calls the same methods in the same order, each with its own micro-batches.
 *
 * <p>The gradient of a step is the sum over all micro-batches of all ranks, so losses are divided by the whole step's
 * number of tokens, and N ranks with any accumulation make the step of one big batch. Sums over ranks are taken in the
 * order of the ranks, the norm's squares shard by shard: at equal ranks all stages have the same bits (with several
 * micro-batches, where stages reduce at other points, the same but for rounding).
 */
public final class TrainingEngine implements Passes, AutoCloseable {
    private final LayeredModel model;
    private final Scope owner;
    private final Scope scope;
    private final Collectives collectives;
    private final int maxSkippedSteps;
    private final LearningRateSchedule schedule;
    private final GradientClipping clipping;
    private final List<TrainedUnit> units = new ArrayList<>();
    private final WeightCutting cutting;
    private final WeightTraffic weightTraffic;
    private final UnitTraffic traffic;
    private final Stopwatch communication = new Stopwatch();
    private EngineProgress progress = EngineProgress.START;

    /**
     * An engine for a model whose values are set and equal on all ranks. It installs its hooks there.
     *
     * @param scope the one that holds the model's values, which are freed where they are cut; it will hold gradients, masters,
     *     states and average too
     */
    public TrainingEngine(LayeredModel model, EngineSettings settings, Collectives collectives, Scope scope) {
        this(model, settings, new WeightCutting(settings.stage(), collectives, scope));
    }

    /**
     * An engine for a model that was cut while it was loaded.
     *
     * @param cutting that it was loaded through, of the stage of {@code settings}; closed with the engine
     */
    public TrainingEngine(LayeredModel model, EngineSettings settings, WeightCutting cutting) {
        if (cutting.stage() != settings.stage()) {
            throw new IllegalArgumentException("a model cut at stage %s cannot be trained at stage %s"
                    .formatted(cutting.stage(), settings.stage()));
        }
        this.model = model;
        this.cutting = cutting;
        this.owner = cutting.owner();
        this.scope = cutting.scope();
        this.collectives = cutting.collectives();
        this.maxSkippedSteps = settings.optimizer().maxSkippedSteps();
        this.schedule = LearningRateSchedule.of(
                settings.optimizer().schedule(), settings.optimizer().learningRate(), settings.plannedSteps());
        this.clipping = new GradientClipping(settings.optimizer().clipNorm());
        Optimizer optimizer = Optimizer.of(settings.optimizer());
        Scope ofStates = settings.statesOnDisk()
                .map(folder -> scope.childOnDisk("states", folder))
                .orElse(scope);
        for (ParameterUnit unit : model.units()) {
            units.add(TrainedUnit.of(unit, settings, optimizer, cutting, ofStates));
        }
        weightTraffic = new WeightTraffic(model, cutting, communication);
        traffic = new UnitTraffic(model, units, weightTraffic, communication);
        model.setHooks(traffic);
    }

    /**
     * One optimizer step. A step whose loss or gradient is not finite is skipped by all ranks and counted.
     *
     * @param microBatches this rank's, in order; may be empty
     * @throws Rlhf4jException of kind DATA where more steps were skipped than allowed
     */
    public StepResult step(List<Backward> microBatches) {
        communication.reset();
        long sentBefore = collectives.metrics().sentBytes();
        // Ranks with fewer micro-batches than others still take their part in what is exchanged over each.
        double passes = collectives.allReduceMax(new double[] {microBatches.size()})[0];
        units.forEach(unit -> unit.gradients().beginStep(passes > 1));
        double loss = 0;
        for (int pass = 0; pass < passes; pass++) {
            if (pass < microBatches.size()) {
                loss += run(microBatches.get(pass));
            } else {
                traffic.idleTraining();
            }
        }
        traffic.finish();
        onAllUnits(unit -> unit.gradients().startReduceOfStep());
        return apply(lossAndNorm(loss), sentBefore);
    }

    private double run(Backward microBatch) {
        traffic.beginTraining();
        try (Scope work = owner.child("micro-batch")) {
            return microBatch.run(work);
        }
    }

    private StepResult apply(LossAndNorm reduced, long sentBefore) {
        double rate = schedule.rate(progress.position());
        boolean skipped = !reduced.isFinite();
        if (skipped) {
            units.forEach(unit -> unit.gradients().endStep());
            skip(reduced);
        } else {
            long update = progress.updates() + 1;
            double factor = clipping.factor(reduced.norm());
            for (int i = 0; i < units.size(); i++) {
                if (i + 1 < units.size()) {
                    units.get(i + 1).willStep();
                }
                units.get(i).step(update, rate, factor);
                units.get(i).gradients().endStep();
            }
            onAllUnits(unit -> unit.weights().startUpdate());
            progress = new EngineProgress(progress.position() + 1, update, progress.skipped());
        }
        long sent = collectives.metrics().sentBytes() - sentBefore;
        return new StepResult(reduced.loss(), reduced.norm(), rate, skipped, communication.seconds(), sent);
    }

    /** Loss and gradient norm of the whole step: sums over all ranks, so all ranks skip together. */
    private record LossAndNorm(double loss, double norm) {
        boolean isFinite() {
            return Double.isFinite(loss) && Double.isFinite(norm);
        }
    }

    private LossAndNorm lossAndNorm(double loss) {
        double[] parts = new double[units.size() + 1];
        parts[0] = loss;
        for (int i = 0; i < units.size(); i++) {
            parts[i + 1] = units.get(i).squaredNorm();
        }
        double[] sums = collectives.allReduceSum(parts);
        double squares = 0;
        for (int i = 0; i < units.size(); i++) {
            squares += sums[i + 1];
        }
        return new LossAndNorm(sums[0], Math.sqrt(squares));
    }

    private void skip(LossAndNorm reduced) {
        progress = new EngineProgress(progress.position() + 1, progress.updates(), progress.skipped() + 1);
        if (progress.skipped() > maxSkippedSteps) {
            throw Rlhf4jException.data(
                    ("%d steps had a loss or gradient that is not finite (last: loss %s, gradient norm %s), more than"
                                    + " max_skipped_steps allows; look for bad rows, or lower the learning rate")
                            .formatted(progress.skipped(), reduced.loss(), reduced.norm()));
        }
    }

    private void onAllUnits(Function<TrainedUnit, Pending> start) {
        communication.time(() -> {
            List<Pending> started = units.stream().map(start).toList();
            started.forEach(Pending::await);
        });
    }

    /**
     * Runs passes without gradients, each rank its own, however many it has. Under {@link ZeroStage#WEIGHTS} a rank that is
     * through goes on giving the others its part of the weights.
     */
    @Override
    public void forward(List<Runnable> passes) {
        weightTraffic.forward(passes);
    }

    /** Something that reads the model's weights, to write them for example: it uses every unit once, in their order. */
    @FunctionalInterface
    public interface Reading {
        /** Reads. */
        void run() throws IOException;
    }

    /** Runs {@code reading} on the first rank, to which all others give their parts of the weights. */
    public void onFirstRank(Reading reading) throws IOException {
        onAllRanks(collectives.rank() == 0 ? reading : weightTraffic::useEach);
    }

    /** Runs {@code reading} on all ranks, which give each other their parts of the weights. */
    public void onAllRanks(Reading reading) throws IOException {
        try {
            weightTraffic.read(() -> {
                try {
                    reading.run();
                } catch (IOException failed) {
                    throw new UncheckedIOException(failed);
                }
            });
        } catch (UncheckedIOException failed) {
            throw failed.getCause();
        }
    }

    /** Lets planned steps go by that will not be made (an early stop), so that the schedule ends where it was meant to. */
    public void passOver(long steps) {
        progress = new EngineProgress(progress.position() + steps, progress.updates(), progress.skipped());
    }

    /** Counters, for checkpoints. */
    public EngineProgress progress() {
        return progress;
    }

    /**
     * This rank's share of masters, moments and moving average, for checkpoints: {@code <kind>/<parameter>}, or {@code
     * <kind>/<parameter>[from:to]} of a part. The shares of all ranks are all that {@link #restore} needs to continue bit for
     * bit, and they are cut alike at every stage.
     */
    public List<NamedTensor> state() {
        return units.stream().flatMap(unit -> unit.share().stream()).toList();
    }

    /**
     * Continues from a saved state, on all ranks.
     *
     * @param files with the shares of all ranks that there were: as many as here or not, at this stage or another
     * @throws Rlhf4jException of kind DATA where something is missing in them
     */
    public void restore(EngineProgress saved, List<Path> files, Configuration hadoop) throws IOException {
        try (SavedPieces pieces = new SavedPieces(files, hadoop)) {
            for (TrainedUnit unit : units) {
                unit.states().restore(pieces);
            }
        }
        onAllUnits(unit -> unit.weights().startUpdate());
        progress = saved;
    }

    /**
     * Runs {@code action} while the model's weights are their moving average, then puts the trained ones back, on all
     * ranks.
     *
     * @throws IllegalStateException where no average is kept
     */
    public void withAveragedWeights(Runnable action) {
        units.forEach(TrainedUnit::useAverage);
        try {
            action.run();
        } finally {
            units.forEach(TrainedUnit::useTrained);
        }
    }

    /** The most bytes that the engine has held at once: all of {@link EngineMemory} but weights that are not cut. */
    public long peakBytes() {
        return scope.peakBytes();
    }

    /** The most bytes that the engine has held on disk at once. */
    public long peakDiskBytes() {
        return scope.peakDiskBytes();
    }

    /** Frees what the engine holds; the model keeps its weights, but for those that are cut. */
    @Override
    public void close() {
        units.forEach(unit -> unit.gradients().close());
        model.setHooks(UnitHooks.NONE);
        cutting.close();
    }
}
