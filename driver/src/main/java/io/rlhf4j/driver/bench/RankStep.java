package io.rlhf4j.driver.bench;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.Backward;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.engine.ZeroStage;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/** One rank's optimizer steps on one batch, by the engine of real runs: forward, backward, exchange, clipping, AdamW. */
final class RankStep implements AutoCloseable {
    private static final OptimizerConfig OPTIMIZER =
            ConfigFile.parse(OptimizerConfig.class, "{learning_rate: 1.0e-5, clip_norm: 1}");
    private static final int STEPS = 1000;

    private final Scope scope;
    private final CausalLanguageModel model;
    private final TrainingEngine engine;
    private final TokenBatch batch;
    private final int[] rows;
    private final int[] targets;

    /**
     * A rank of a group.
     *
     * @param backend that computes for this rank alone
     */
    RankStep(BenchModel shape, Backend backend, DType type, int stage, int batch, int length, Collectives collectives)
            throws IOException {
        scope = Scope.root(backend, "rank");
        model = shape.make(scope, type);
        engine = new TrainingEngine(
                model, new EngineSettings(ZeroStage.of(stage), OPTIMIZER, STEPS, type, 0), collectives, scope);
        RandomStream stream = RandomStream.of(collectives.rank());
        this.batch = TokenBatch.of(IntStream.range(0, batch)
                .mapToObj(row ->
                        TrainBench.row(stream.at(row), length, model.config().vocabSize()))
                .toList());
        rows = IntStream.range(0, batch * length)
                .filter(token -> token % length < length - 1)
                .toArray();
        targets = IntStream.of(rows).map(token -> this.batch.ids()[token + 1]).toArray();
    }

    /** Parameters of the model. */
    long parameters() {
        return model.units().stream().mapToLong(ParameterUnit::elements).sum();
    }

    /** Units of the model. */
    int units() {
        return model.units().size();
    }

    /** A whole step. */
    void run() {
        float share = -1f / rows.length;
        Backward lesson = work -> {
            float[] logProbs = model.logProbsAndBackward(
                            work, batch, rows, targets, 1f, (index, logProb, entropy) -> share, false)
                    .logProbs();
            return logProbs[0];
        };
        engine.step(List.of(lesson));
    }

    /** A step without its forward and backward pass. */
    void optimizer() {
        engine.step(List.of(work -> 1));
    }

    @Override
    public void close() {
        engine.close();
        scope.close();
    }
}
