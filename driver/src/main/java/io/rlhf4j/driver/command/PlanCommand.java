package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.plan.RunPlan;
import io.rlhf4j.driver.spark.HadoopSettings;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rlhf4j plan}. */
@Command(
        name = "plan",
        description = "Prints memory by rank and model, and the steps, without starting anything.",
        mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private ConfigOptions options;

    PlanCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        interrupts.check();
    }

    @Override
    public Integer call() throws IOException {
        RunConfig config = options.load();
        terminal.out().print(RunPlan.of(config, HadoopSettings.of(config)).text());
        return 0;
    }
}
