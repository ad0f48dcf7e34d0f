package io.rlhf4j.workers.job;

import io.rlhf4j.config.ModelsConfig;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.data.TokenRow;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.hub.TrainedTokenizer;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.checkpoint.RankWriter;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CurrentGroup;
import io.rlhf4j.workers.engine.EngineProgress;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.engine.WeightCutting;
import io.rlhf4j.workers.engine.ZeroStage;
import io.rlhf4j.workers.training.RewardTrainer;
import io.rlhf4j.workers.training.SftTrainer;
import io.rlhf4j.workers.training.SupervisedTrainer;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** One rank's model, engine and trainer of step 1 or 2. */
final class SupervisedRank<R extends TokenRow> implements AutoCloseable {
    private final Scope scope;
    private final CurrentGroup group;
    private final Configuration hadoop;
    private final ModelsConfig models;
    private final TrainingEngine engine;
    private final SupervisedTrainer<R> trainer;
    private final Saving saving;
    private final RankWriter writer;

    private SupervisedRank(Parts parts, TrainingEngine engine, SupervisedTrainer<R> trainer, Saving saving) {
        this.scope = parts.scope;
        this.group = parts.group;
        this.hadoop = parts.hadoop;
        this.models = parts.config.models();
        this.engine = engine;
        this.trainer = trainer;
        this.saving = saving;
        this.writer = new RankWriter(parts.statesOnDisk
                .map(folder -> parts.scope.childOnDisk("copies", folder))
                .orElse(parts.scope));
    }

    /**
     * The rank of a step as it begins.
     *
     * @param statesOnDisk where the optimizer's states and their copies are to lie; empty for memory
     */
    static SupervisedRank<?> of(
            Step step,
            RunConfig config,
            long plannedSteps,
            Scope scope,
            Optional<java.nio.file.Path> statesOnDisk,
            Configuration hadoop,
            Collectives collectives)
            throws IOException {
        CurrentGroup group = new CurrentGroup();
        group.enter(collectives);
        Parts parts = new Parts(config, plannedSteps, scope, statesOnDisk, hadoop, group);
        return switch (step) {
            case SFT -> sft(parts);
            case REWARD -> reward(parts);
            case PPO -> throw new IllegalArgumentException("ppo is no supervised step");
        };
    }

    private static SupervisedRank<TrainingRow> sft(Parts parts) throws IOException {
        RunConfig config = parts.config;
        Path initial = new Path(config.sft().initial().orElse(config.models().actor()));
        WeightCutting cutting = parts.cutting(config.cluster().zero().sft());
        CausalLanguageModel model = parts.directories()
                .loadCausal(initial, parts.scope, config.compute().dtype(), cutting);
        TrainingEngine engine =
                parts.engine(model, config.cluster().zero().sft(), config.sft().optimizer(), cutting);
        SftTrainer trainer = new SftTrainer(
                model,
                engine,
                parts.group,
                parts.scope,
                config.sft(),
                config.compute().microBatchTokens());
        return new SupervisedRank<>(
                parts, engine, trainer, directory -> parts.directories().save(model, directory, parts.stored()));
    }

    private static SupervisedRank<PreferenceRow> reward(Parts parts) throws IOException {
        RunConfig config = parts.config;
        Path initial = config.reward().startsFromSft()
                ? RunFolder.of(config, parts.hadoop).export(Step.SFT.key())
                : new Path(config.reward().initial().orElse(config.models().rewardOrActor()));
        WeightCutting cutting = parts.cutting(config.cluster().zero().reward());
        ScoreModel model = parts.directories()
                .loadScore(initial, parts.scope, config.compute().dtype(), config.seed(), cutting);
        TrainingEngine engine = parts.engine(
                model, config.cluster().zero().reward(), config.reward().optimizer(), cutting);
        RewardTrainer trainer = new RewardTrainer(
                model,
                engine,
                parts.group,
                parts.scope,
                config.reward(),
                config.compute().microBatchTokens());
        return new SupervisedRank<>(
                parts, engine, trainer, directory -> parts.directories().save(model, directory, parts.stored()));
    }

    /** Puts a state, in the files of all ranks that wrote it, in the place of the initial one. */
    void restore(List<Path> files, EngineProgress progress) throws IOException {
        engine.restore(progress, files, hadoop);
    }

    SupervisedTrainer<R> trainer() {
        return trainer;
    }

    TrainingEngine engine() {
        return engine;
    }

    CurrentGroup group() {
        return group;
    }

    /** Writes this rank's part of checkpoints. */
    RankWriter writer() {
        return writer;
    }

    /** Writes the model as a Hugging Face directory. All ranks take part, the first one writes. */
    void export(Path directory) throws IOException {
        engine.onFirstRank(() -> {
            saving.to(directory);
            TrainedTokenizer.addTo(directory, models, hadoop);
        });
    }

    @Override
    public void close() {
        writer.close();
        scope.close();
    }

    /** Writes weights and configuration of the model. */
    @FunctionalInterface
    private interface Saving {
        void to(Path directory) throws IOException;
    }

    /** What both steps are made of. */
    private record Parts(
            RunConfig config,
            long plannedSteps,
            Scope scope,
            Optional<java.nio.file.Path> statesOnDisk,
            Configuration hadoop,
            CurrentGroup group) {
        ModelDirectory directories() {
            return new ModelDirectory(hadoop);
        }

        ElementType stored() {
            return config.compute().dtype() == DType.BF16 ? ElementType.BF16 : ElementType.F32;
        }

        WeightCutting cutting(int stage) {
            return new WeightCutting(ZeroStage.of(stage), group, scope);
        }

        TrainingEngine engine(LayeredModel model, int stage, OptimizerConfig optimizer, WeightCutting cutting) {
            model.setCheckpointing(config.compute().activationCheckpointing());
            EngineSettings settings = new EngineSettings(
                    ZeroStage.of(stage),
                    optimizer,
                    plannedSteps,
                    config.compute().gradients(),
                    0,
                    statesOnDisk);
            return new TrainingEngine(model, settings, cutting);
        }
    }
}
