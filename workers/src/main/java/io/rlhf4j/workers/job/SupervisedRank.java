package io.rlhf4j.workers.job;

import io.rlhf4j.config.ModelsConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.data.TokenRow;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.hub.TrainedTokenizer;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CurrentGroup;
import io.rlhf4j.workers.engine.EngineProgress;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.engine.ZeroStage;
import io.rlhf4j.workers.training.RewardTrainer;
import io.rlhf4j.workers.training.SftTrainer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** One rank's model, engine and trainer of step 1 or 2. */
abstract sealed class SupervisedRank<R extends TokenRow> implements AutoCloseable {
    final Scope scope;
    final CurrentGroup group = new CurrentGroup();
    final Configuration hadoop;
    final ModelsConfig models;
    private final DType type;

    private SupervisedRank(RunConfig config, Scope scope, Configuration hadoop, Collectives collectives) {
        group.enter(collectives);
        this.scope = scope;
        this.hadoop = hadoop;
        this.models = config.models();
        this.type = config.compute().dtype();
    }

    /** The rank of a step as it begins. */
    static SupervisedRank<?> of(
            Step step, RunConfig config, long plannedSteps, Scope scope, Configuration hadoop, Collectives collectives)
            throws IOException {
        return switch (step) {
            case SFT -> new Sft(config, plannedSteps, scope, hadoop, collectives);
            case REWARD -> new Reward(config, plannedSteps, scope, hadoop, collectives);
            case PPO -> throw new IllegalArgumentException("ppo is no supervised step");
        };
    }

    /** Puts a state, in the files of all ranks that wrote it, in the place of the initial one. */
    void restore(List<Path> files, EngineProgress progress) throws IOException {
        engine().restore(progress, files, hadoop);
    }

    abstract Map<String, Double> step(List<R> batch);

    abstract Map<String, Double> evaluate(List<R> rows);

    abstract TrainingEngine engine();

    /** Writes the model as a Hugging Face directory. All ranks take part, the first one writes. */
    abstract void export(Path directory) throws IOException;

    CurrentGroup group() {
        return group;
    }

    final ElementType stored() {
        return type == DType.BF16 ? ElementType.BF16 : ElementType.F32;
    }

    @Override
    public void close() {
        scope.close();
    }

    /** Step 1. */
    static final class Sft extends SupervisedRank<TrainingRow> {
        private final CausalLanguageModel model;
        private final TrainingEngine engine;
        private final SftTrainer trainer;

        Sft(RunConfig config, long plannedSteps, Scope scope, Configuration hadoop, Collectives collectives)
                throws IOException {
            super(config, scope, hadoop, collectives);
            Path initial =
                    new Path(config.sft().initial().orElse(config.models().actor()));
            model = new ModelDirectory(hadoop)
                    .loadCausal(initial, scope, config.compute().dtype());
            engine = new TrainingEngine(
                    model,
                    new EngineSettings(
                            ZeroStage.of(config.cluster().zero().sft()),
                            config.sft().optimizer(),
                            plannedSteps,
                            config.compute().gradients(),
                            0),
                    group,
                    scope);
            trainer = new SftTrainer(
                    model, engine, group, scope, config.sft(), config.compute().microBatchTokens());
        }

        @Override
        Map<String, Double> step(List<TrainingRow> batch) {
            return trainer.step(batch);
        }

        @Override
        Map<String, Double> evaluate(List<TrainingRow> rows) {
            return trainer.evaluate(rows);
        }

        @Override
        TrainingEngine engine() {
            return engine;
        }

        @Override
        void export(Path directory) throws IOException {
            engine.onFirstRank(() -> {
                new ModelDirectory(hadoop).save(model, directory, stored());
                TrainedTokenizer.addTo(directory, models, hadoop);
            });
        }
    }

    /** Step 2. */
    static final class Reward extends SupervisedRank<PreferenceRow> {
        private final ScoreModel model;
        private final TrainingEngine engine;
        private final RewardTrainer trainer;

        Reward(RunConfig config, long plannedSteps, Scope scope, Configuration hadoop, Collectives collectives)
                throws IOException {
            super(config, scope, hadoop, collectives);
            Path initial = config.reward().startsFromSft()
                    ? RunFolder.of(config, hadoop).export(Step.SFT.key())
                    : new Path(config.reward().initial().orElse(config.models().rewardOrActor()));
            model = new ModelDirectory(hadoop)
                    .loadScore(initial, scope, config.compute().dtype(), config.seed());
            engine = new TrainingEngine(
                    model,
                    new EngineSettings(
                            ZeroStage.of(config.cluster().zero().reward()),
                            config.reward().optimizer(),
                            plannedSteps,
                            config.compute().gradients(),
                            0),
                    group,
                    scope);
            trainer = new RewardTrainer(
                    model,
                    engine,
                    group,
                    scope,
                    config.reward(),
                    config.compute().microBatchTokens());
        }

        @Override
        Map<String, Double> step(List<PreferenceRow> batch) {
            return trainer.step(batch);
        }

        @Override
        Map<String, Double> evaluate(List<PreferenceRow> rows) {
            return trainer.evaluate(rows);
        }

        @Override
        TrainingEngine engine() {
            return engine;
        }

        @Override
        void export(Path directory) throws IOException {
            engine.onFirstRank(() -> {
                new ModelDirectory(hadoop).save(model, directory, stored());
                TrainedTokenizer.addTo(directory, models, hadoop);
            });
        }
    }
}
