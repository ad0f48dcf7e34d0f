package io.rlhf4j.driver.command;

import io.rlhf4j.driver.inspect.Inspection;
import io.rlhf4j.driver.spark.HadoopSettings;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code rlhf4j inspect}. */
@Command(
        name = "inspect",
        description = "Tells what a model directory, a checkpoint or a run's folder holds.",
        mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "FOLDER", description = "A model directory, a checkpoint, or a run's folder.")
    private String folder;

    InspectCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        interrupts.check();
    }

    @Override
    public Integer call() throws IOException {
        new Inspection(HadoopSettings.ofProcess()).lines(new Path(folder)).forEach(terminal.out()::println);
        return 0;
    }
}
