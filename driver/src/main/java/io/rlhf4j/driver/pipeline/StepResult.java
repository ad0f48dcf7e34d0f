package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.Step;
import java.util.Map;

/**
 * What a step of the pipeline came to.
 *
 * @param step which
 * @param steps optimizer steps (sft, reward) or iterations (ppo) in all, over all starts of the run
 * @param before the evaluation on held-out rows before the step, by the names of metrics.jsonl
 * @param after the same afterwards
 * @param exports the Hugging Face directories written, by name: {@code sft}, {@code reward}, {@code actor}, {@code
 *     critic}, {@code actor-ema}
 */
public record StepResult(
        Step step, long steps, Map<String, Double> before, Map<String, Double> after, Map<String, String> exports) {}
