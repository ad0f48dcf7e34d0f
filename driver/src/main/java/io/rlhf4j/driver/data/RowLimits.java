package io.rlhf4j.driver.data;

import io.rlhf4j.config.DataConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import java.io.IOException;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * The longest rows of a step, in tokens: what the configuration allows, and what fits into the context of every model that
 * reads them.
 *
 * @param prompt of a prompt
 * @param response of a response of a training row, its end token included
 * @param row of prompt and response together, of a conversation, of a text
 */
record RowLimits(int prompt, int response, int row) implements Serializable {
    /** What the configuration allows, whatever the models. */
    static RowLimits of(DataConfig data) {
        return new RowLimits(
                data.maxPromptTokens(), data.maxResponseTokens(), data.maxPromptTokens() + data.maxResponseTokens());
    }

    /** What fits the models of {@code config}, for each step. */
    static EnumMap<Step, RowLimits> of(RunConfig config, Configuration hadoop) throws IOException {
        Map<Step, Integer> contexts = new ModelContexts(config, hadoop).ofSteps();
        RowLimits configured = of(config.data());
        // A prompt of step 3 leaves room for the longest answer, so that every model can read the two together.
        int answer = Math.max(
                config.ppo().sampling().maxNewTokens(),
                config.evaluation().sampling().maxNewTokens());
        EnumMap<Step, RowLimits> limits = new EnumMap<>(Step.class);
        contexts.forEach((step, context) -> limits.put(
                step,
                new RowLimits(
                        Math.min(configured.prompt(), context - (step == Step.PPO ? answer : 1)),
                        Math.min(configured.response(), context - 1),
                        Math.min(configured.row(), context))));
        return limits;
    }
}
