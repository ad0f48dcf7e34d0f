package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.format.FileHashes;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.runtime.LocalFolder;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.fs.Path;

/**
 * What tasks of plain jobs need of one version of the published weights: actor and critic, or where the ranks score the actor
 * alone, to generate with. Kept in a slot until others are asked for.
 */
final class VersionedModels implements AutoCloseable {
    static final String HOLDING = "ppo published";

    private final StateId state;
    private final Scope scope;
    private final CausalLanguageModel actor;
    private final CausalLanguageModel generator;
    private final ScoreModel critic;
    private double switchSeconds;

    /**
     * Loads them.
     *
     * @param hashes that the files of the version have to have
     * @param disk the folder where the weights are to lie; empty for memory
     */
    private VersionedModels(
            TaskSettings settings,
            RunConfig config,
            PublishedWeights weights,
            FileHashes hashes,
            StateId state,
            Scope scope,
            Optional<java.nio.file.Path> disk)
            throws IOException {
        long begin = System.nanoTime();
        long version = state.version();
        ModelDirectory directories = new ModelDirectory(settings.hadoopConfiguration(), hashes);
        DType type = config.compute().dtype();
        DType generation = config.compute().generationOrDtype();
        Path ofActor = new Path(weights.actor(version, settings.models()));
        this.scope = scope;
        this.state = state;
        Scope held = disk.map(folder -> scope.childOnDisk("weights", folder)).orElse(scope);
        try {
            if (config.cluster().ranksScore()) {
                actor = null;
                critic = null;
                generator = directories.loadCausal(ofActor, held, generation);
            } else {
                actor = directories.loadCausal(ofActor, held, type);
                generator = generation == type ? actor : actor.copy(held, generation);
                critic = directories.loadScore(
                        new Path(weights.critic(version, settings.models())), held, type, config.seed());
            }
        } catch (IOException | RuntimeException failed) {
            scope.close();
            throw failed;
        }
        switchSeconds = (System.nanoTime() - begin) * 1e-9;
    }

    /** Those that the slot keeps in this version, else freshly loaded ones. */
    static VersionedModels take(Slot slot, TaskSettings settings, RunConfig config, long version) throws IOException {
        PublishedWeights weights = new PublishedWeights(settings.folder(config), settings.hadoopConfiguration());
        StateId state = new StateId(config.path(), weights.content(version, settings.models()), version);
        VersionedModels kept = slot.take(HOLDING, state, VersionedModels.class).orElse(null);
        if (kept != null) {
            return kept;
        }
        WorkPhase.LOAD.begins("weights version " + version);
        FileHashes hashes = weights.require(version);
        Scope scope = TaskSettings.scope(slot, config, "weights version " + version);
        return new VersionedModels(
                settings,
                config,
                weights,
                hashes,
                state,
                scope,
                LocalFolder.ofRollouts(config.cluster().offload(), slot));
    }

    void giveBack(Slot slot) {
        slot.give(HOLDING, state, this);
    }

    Scope scope() {
        return scope;
    }

    /** The actor in the type of training, where tasks score: its log-probabilities are those that an update starts from. */
    CausalLanguageModel actor() {
        return actor;
    }

    /** The actor in the type that generation computes in. */
    CausalLanguageModel generator() {
        return generator;
    }

    /** Only where tasks score. */
    ScoreModel critic() {
        return critic;
    }

    /** Seconds that it took to load these weights and bring them in the type that generation computes in; told once. */
    double takeSwitchSeconds() {
        double seconds = switchSeconds;
        switchSeconds = 0;
        return seconds;
    }

    @Override
    public void close() {
        scope.close();
    }
}
