package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.io.IOException;

/**
 * The models that a task of a plain job works with, taken from its slot. What is not given back is closed: a task that fails
 * keeps none.
 */
final class SlotModels implements AutoCloseable {
    private final Slot slot;
    private final TaskSettings settings;
    private final RunConfig config;
    private final long version;
    private AnswerTexts texts;
    private FrozenModels frozen;
    private VersionedModels published;

    /** Those of a version of the published weights: all, or the generator alone where the ranks score. */
    SlotModels(Slot slot, TaskSettings settings, RunConfig config, long version) throws IOException {
        this.slot = slot;
        this.settings = settings;
        this.config = config;
        this.version = version;
        try {
            texts = AnswerTexts.take(slot, settings, config);
            if (!config.cluster().ranksScore()) {
                frozen = FrozenModels.take(slot, settings, config);
            }
            published = VersionedModels.take(slot, settings, config, version);
        } catch (IOException | RuntimeException failed) {
            close();
            throw failed;
        }
    }

    AnswerTexts texts() {
        return texts;
    }

    /** Only where tasks score. */
    FrozenModels frozen() {
        return frozen;
    }

    VersionedModels published() {
        return published;
    }

    /** The work is done: a later task may have them. */
    void giveBack() {
        texts.giveBack(slot, settings, config);
        texts = null;
        if (frozen != null) {
            frozen.giveBack(slot);
            frozen = null;
        }
        published.giveBack(slot);
        WorkPhase.IDLE.begins("weights version " + version);
        published = null;
    }

    @Override
    public void close() {
        if (texts != null) {
            texts.close();
        }
        if (frozen != null) {
            frozen.close();
        }
        if (published != null) {
            published.close();
        }
    }
}
