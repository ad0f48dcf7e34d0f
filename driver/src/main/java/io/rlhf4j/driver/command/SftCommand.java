package io.rlhf4j.driver.command;

import io.rlhf4j.config.Step;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rlhf4j sft}. */
@Command(name = "sft", description = "Step 1: supervised fine-tuning.", mixinStandardHelpOptions = true)
final class SftCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interrupts interrupts;

    @Mixin
    private ConfigOptions options;

    SftCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        new TrainingRun(terminal, interrupts, options.load())
                .execute("sft", List.of(Step.SFT), pipeline -> List.of(pipeline.runSft()));
        return 0;
    }
}
