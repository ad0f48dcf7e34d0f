package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.pipeline.Pipeline;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rlhf4j pipeline}. */
@Command(
        name = "pipeline",
        description = "Runs the steps that the configuration lists: sft, reward, ppo.",
        mixinStandardHelpOptions = true)
final class PipelineCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interrupts interrupts;

    @Mixin
    private ConfigOptions options;

    PipelineCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        RunConfig config = options.load();
        new TrainingRun(terminal, interrupts, config).execute("pipeline", config.steps(), Pipeline::runAll);
        return 0;
    }
}
