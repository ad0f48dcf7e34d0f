package io.rlhf4j.config;

/** What is measured on held-out rows. */
public record EvaluationConfig(
        @Doc(value = "Most held-out rows that an evaluation uses; 0 uses all.", preset = "200", range = "[0, inf)")
                int rows,
        @Doc(
                        value =
                                "Optimizer steps of sft and reward between evaluations; 0 evaluates before and after only.",
                        preset = "0",
                        range = "[0, inf)")
                int everySteps,
        @Doc(
                        value = "Iterations of ppo between evaluations; 0 evaluates before and after only.",
                        preset = "0",
                        range = "[0, inf)")
                int everyIterations,
        @Doc(value = "Answers shown side by side in the report.", preset = "4", range = "[0, inf)") int samples,
        @Doc(value = "How held-out prompts are answered.", preset = "{temperature: 0}") SamplingConfig sampling) {}
