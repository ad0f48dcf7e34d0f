package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.ZeroConfig;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.reward.Reward;
import io.rlhf4j.reward.RewardSum;
import io.rlhf4j.reward.Rewards;
import io.rlhf4j.reward.ScoreModelReward;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CurrentGroup;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.engine.FrozenEngine;
import io.rlhf4j.workers.engine.WeightCutting;
import io.rlhf4j.workers.engine.ZeroStage;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * What answers are scored with and no update changes: reference and rewards. Kept in a slot for all iterations: whole where
 * the tasks of a plain job score, as much as the stages leave a rank where all ranks do.
 */
final class FrozenModels implements AutoCloseable {
    private static final String HOLDING = "ppo frozen";

    private final CurrentGroup group = new CurrentGroup();
    private final RunConfig config;
    private final PpoModels models;
    private final ModelDirectory directories;
    private final Scope scope;
    private final StateId state;
    private final Optional<ModelPasses<CausalLanguageModel>> reference;
    private final RewardSum rewards;

    private FrozenModels(
            RunConfig config,
            PpoModels models,
            Configuration hadoop,
            Scope scope,
            StateId state,
            Collectives ranks,
            ZeroStage ofReference,
            ZeroStage ofRewardModels)
            throws IOException {
        this.config = config;
        this.state = state;
        this.models = models;
        this.directories = new ModelDirectory(hadoop);
        this.scope = scope;
        group.enter(ranks);
        try {
            reference = config.ppo().kl().beta() == 0 ? Optional.empty() : Optional.of(reference(ofReference));
            rewards = new Rewards(model -> reward(model, ofRewardModels), hadoop).sum(PpoModels.rewards(config.ppo()));
        } catch (IOException | RuntimeException failed) {
            scope.close();
            throw failed;
        }
    }

    private ModelPasses<CausalLanguageModel> reference(ZeroStage stage) throws IOException {
        WeightCutting cutting = new WeightCutting(stage, group, scope);
        CausalLanguageModel model = directories.loadCausal(new Path(models.reference()), scope, type(), cutting);
        return new ModelPasses<>(model, new FrozenEngine(model, cutting));
    }

    private Reward reward(ModelReward reward, ZeroStage stage) {
        Path directory = new Path(models.directoryOf(reward));
        WeightCutting cutting = new WeightCutting(stage, group, scope);
        try {
            ScoreModel model = directories.loadScore(directory, scope, type(), config.seed(), cutting);
            return new ScoreModelReward(
                    model,
                    new FrozenEngine(model, cutting),
                    scope,
                    config.compute().microBatchTokens());
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot read " + directory, unreadable);
        }
    }

    private DType type() {
        return config.compute().dtype();
    }

    /** Whole models, those that the slot keeps or else freshly loaded ones. To be given back with {@link #giveBack}. */
    static FrozenModels take(Slot slot, TaskSettings settings, RunConfig config) throws IOException {
        return take(slot, settings, config, LocalGroup.single(), ZeroStage.REPLICATED, ZeroStage.REPLICATED);
    }

    /** This rank's parts of models that all {@code ranks} hold together. All of them call, and give back. */
    static FrozenModels take(Slot slot, TaskSettings settings, RunConfig config, Collectives ranks) throws IOException {
        ZeroConfig zero = config.cluster().zero();
        return take(slot, settings, config, ranks, ZeroStage.of(zero.reference()), ZeroStage.of(zero.rewardModel()));
    }

    private static FrozenModels take(
            Slot slot,
            TaskSettings settings,
            RunConfig config,
            Collectives ranks,
            ZeroStage ofReference,
            ZeroStage ofRewardModels)
            throws IOException {
        // They follow from what a task is told, whichever attempt tells it; a slot is that of one rank.
        StateId state = new StateId(config.path(), settings.configuration() + settings.models(), ranks.worldSize());
        FrozenModels kept = slot.take(HOLDING, state, FrozenModels.class).orElse(null);
        if (kept != null) {
            kept.group.enter(ranks);
            return kept;
        }
        WorkPhase.LOAD.begins("the models that do not change");
        return new FrozenModels(
                config,
                settings.models(),
                settings.hadoopConfiguration(),
                TaskSettings.scope(slot, config, "frozen models"),
                state,
                ranks,
                ofReference,
                ofRewardModels);
    }

    void giveBack(Slot slot) {
        slot.give(HOLDING, state, this);
    }

    /** Empty where there is no KL penalty. */
    Optional<ModelPasses<CausalLanguageModel>> reference() {
        return reference;
    }

    RewardSum rewards() {
        return rewards;
    }

    @Override
    public void close() {
        rewards.close();
        scope.close();
    }
}
