package io.rlhf4j.config;

/** When the complete state of a run is saved, and how much of it is kept. */
public record CheckpointConfig(
        @Doc(value = "Optimizer steps of sft and reward between checkpoints.", preset = "100", range = "[1, inf)")
                int everySteps,
        @Doc(value = "Iterations of ppo between checkpoints.", preset = "5", range = "[1, inf)") int everyIterations,
        @Doc(value = "Checkpoints of a step that are kept; older ones are deleted.", preset = "2", range = "[1, inf)")
                int keep,
        @Doc(
                        value = "Steps or iterations after which a checkpoint is kept for good: those whose number"
                                + " this divides; 0 for none.",
                        preset = "0",
                        range = "[0, inf)")
                int keepEvery,
        @Doc(
                        value = "Whether training goes on while a checkpoint is written: from a copy of the state,"
                                + " which `plan` counts. The last checkpoint of a step is always waited for.",
                        preset = "true")
                boolean asynchronous) {}
