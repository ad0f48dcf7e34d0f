package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.pipeline.Pipeline;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
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
    private final Configuration hadoop = new Configuration();

    @Mixin
    private ConfigOptions options;

    PipelineCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        RunConfig config = options.load(hadoop);
        new TrainingRun(terminal, interrupts, hadoop).execute("pipeline", config, config.steps(), Pipeline::runAll);
        return 0;
    }
}
