package io.rlhf4j.config;

import java.util.Optional;

/** Supervised fine-tuning: cross-entropy on response tokens. */
public record SftConfig(
        @Doc("Model directory to start from. `models.actor` when absent.") Optional<String> initial,
        @Doc(value = "Passes over the rows.", preset = "1", range = "(0, inf)") double epochs,
        @Doc(value = "Most optimizer steps; 0 sets no limit.", preset = "0", range = "[0, inf)") int maxSteps,
        @Doc(value = "Rows of one optimizer step, over all ranks.", preset = "32", range = "[1, inf)") int batchSize,
        @Doc(value = "Whether the tokens of the prompt are trained too.", preset = "false") boolean trainOnPrompt,
        @Doc(value = "The optimizer.", preset = "{learning_rate: 1.0e-5}") OptimizerConfig optimizer) {}
