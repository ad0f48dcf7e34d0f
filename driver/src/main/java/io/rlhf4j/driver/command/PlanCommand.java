package io.rlhf4j.driver.command;

import io.rlhf4j.driver.plan.RunPlan;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rlhf4j plan}. */
@Command(
        name = "plan",
        description = "Prints memory by rank and model, and the steps, without starting anything.",
        mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Configuration hadoop = new Configuration();

    @Mixin
    private ConfigOptions options;

    PlanCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        interrupts.check();
    }

    @Override
    public Integer call() throws IOException {
        terminal.out().print(RunPlan.of(options.load(hadoop), hadoop).text());
        return 0;
    }
}
