package io.rlhf4j.driver.command;

import io.rlhf4j.config.Step;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rlhf4j reward}. */
@Command(name = "reward", description = "Step 2: trains the reward model on pairs.", mixinStandardHelpOptions = true)
final class RewardCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interrupts interrupts;

    @Mixin
    private ConfigOptions options;

    RewardCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        new TrainingRun(terminal, interrupts, options.load())
                .execute("reward", List.of(Step.REWARD), pipeline -> List.of(pipeline.runReward()));
        return 0;
    }
}
