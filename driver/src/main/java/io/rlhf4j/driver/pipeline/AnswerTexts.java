package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.hub.EndTokens;
import io.rlhf4j.tokenizer.Tokenizer;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** How answers become text, and where they end. Kept in a slot for all iterations. */
final class AnswerTexts implements AutoCloseable {
    private static final String HOLDING = "ppo texts";

    private final Tokenizer tokenizer;
    private final int[] endTokens;

    private AnswerTexts(RunConfig config, PpoModels models, Configuration hadoop) throws IOException {
        tokenizer = Tokenizer.load(new Path(config.models().tokenizerOrActor()), hadoop);
        try {
            endTokens = EndTokens.of(new Path(models.actor()), tokenizer, hadoop);
        } catch (IOException | RuntimeException failed) {
            tokenizer.close();
            throw failed;
        }
    }

    /** What the slot keeps, else freshly loaded. To be given back with {@link #giveBack}. */
    static AnswerTexts take(Slot slot, TaskSettings settings, RunConfig config) throws IOException {
        AnswerTexts kept =
                slot.take(HOLDING, state(settings, config), AnswerTexts.class).orElse(null);
        return kept != null ? kept : new AnswerTexts(config, settings.models(), settings.hadoopConfiguration());
    }

    void giveBack(Slot slot, TaskSettings settings, RunConfig config) {
        slot.give(HOLDING, state(settings, config), this);
    }

    private static StateId state(TaskSettings settings, RunConfig config) {
        return new StateId(config.path(), settings.configuration() + settings.models(), 0);
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    int[] endTokens() {
        return endTokens.clone();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
