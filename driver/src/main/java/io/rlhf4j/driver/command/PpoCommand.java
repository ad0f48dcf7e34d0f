package io.rlhf4j.driver.command;

import io.rlhf4j.config.Step;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rlhf4j ppo}. */
@Command(name = "ppo", description = "Step 3: proximal policy optimisation.", mixinStandardHelpOptions = true)
final class PpoCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interrupts interrupts;

    @Mixin
    private ConfigOptions options;

    PpoCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        new TrainingRun(terminal, interrupts, options.load())
                .execute("ppo", List.of(Step.PPO), pipeline -> List.of(pipeline.runPpo()));
        return 0;
    }
}
