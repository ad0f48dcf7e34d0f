package io.rlhf4j.workers.rollout;

import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import java.io.Serializable;

/**
 * A prompt and one of its sampled answers.
 *
 * @param prompt with its text, which rewards may read
 * @param rollout the answer; not judged yet
 */
public record SampledAnswer(PromptRow prompt, Rollout rollout) implements Serializable {
    /** Tokens of both. */
    int tokens() {
        return rollout.tokens();
    }
}
