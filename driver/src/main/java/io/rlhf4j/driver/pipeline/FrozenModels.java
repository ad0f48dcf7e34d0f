package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.hub.EndTokens;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.reward.Reward;
import io.rlhf4j.reward.RewardSum;
import io.rlhf4j.reward.Rewards;
import io.rlhf4j.reward.ScoreModelReward;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.Tokenizer;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** What rollouts need and no update changes: reference, rewards, tokenizer. Kept in a slot for all iterations. */
final class FrozenModels implements AutoCloseable {
    static final String HOLDING = "ppo frozen";

    private final Scope scope;
    private final CausalLanguageModel reference;
    private final RewardSum rewards;
    private final Tokenizer tokenizer;
    private final int[] endTokens;

    private FrozenModels(RunConfig config, PpoModels models, Configuration hadoop, Scope scope) throws IOException {
        PpoConfig ppo = config.ppo();
        ModelDirectory directories = new ModelDirectory(hadoop);
        this.scope = scope;
        try {
            reference = ppo.kl().beta() == 0
                    ? null
                    : directories.loadCausal(
                            new Path(models.reference()),
                            scope,
                            config.compute().dtype());
            tokenizer = Tokenizer.load(new Path(config.models().tokenizerOrActor()), hadoop);
            endTokens = EndTokens.of(new Path(models.actor()), tokenizer, hadoop);
            rewards = new Rewards(model -> reward(directories, config, models, model), hadoop)
                    .sum(PpoModels.rewards(ppo));
        } catch (IOException | RuntimeException failed) {
            scope.close();
            throw failed;
        }
    }

    /** Those that the slot keeps, else freshly loaded ones. To be given back with {@link #giveBack}. */
    static FrozenModels take(Slot slot, TaskSettings settings, RunConfig config) throws IOException {
        FrozenModels kept =
                slot.take(HOLDING, state(settings, config), FrozenModels.class).orElse(null);
        if (kept != null) {
            return kept;
        }
        WorkPhase.LOAD.begins("the models that do not change");
        return new FrozenModels(
                config,
                settings.models(),
                settings.hadoopConfiguration(),
                TaskSettings.scope(slot, config, "frozen models"));
    }

    void giveBack(Slot slot, TaskSettings settings, RunConfig config) {
        slot.give(HOLDING, state(settings, config), this);
    }

    private static StateId state(TaskSettings settings, RunConfig config) {
        // They follow from what a task is told, whichever attempt tells it.
        return new StateId(config.path(), settings.configuration() + settings.models(), 0);
    }

    private Reward reward(ModelDirectory directories, RunConfig config, PpoModels models, ModelReward model) {
        try {
            ScoreModel scores = directories.loadScore(
                    new Path(models.directoryOf(model)), scope, config.compute().dtype(), config.seed());
            return new ScoreModelReward(scores, scope, config.compute().microBatchTokens());
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot read " + models.directoryOf(model), unreadable);
        }
    }

    /** Null where there is no KL penalty. */
    CausalLanguageModel reference() {
        return reference;
    }

    RewardSum rewards() {
        return rewards;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    int[] endTokens() {
        return endTokens.clone();
    }

    @Override
    public void close() {
        rewards.close();
        tokenizer.close();
        scope.close();
    }
}
