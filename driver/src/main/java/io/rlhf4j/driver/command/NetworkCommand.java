package io.rlhf4j.driver.command;

import io.rlhf4j.driver.spark.HadoopSettings;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.reward.LabelledText;
import io.rlhf4j.reward.LabelledTextFile;
import io.rlhf4j.reward.TextNetworkTrainer;
import io.rlhf4j.sampling.RandomStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rlhf4j network}. */
@Command(
        name = "network",
        description = {
            "Trains a small Deeplearning4j network to tell good answers from bad ones, for rewards of kind 'network'.",
            "A line of the file is {\"prompt\", \"response\", \"label\"} or {\"prompt\", \"chosen\", \"rejected\"}."
        },
        mixinStandardHelpOptions = true)
final class NetworkCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Option(names = "--data", paramLabel = "FILE", required = true, description = "JSON lines of labelled answers.")
    private String data;

    @Option(names = "--output", paramLabel = "FILE", required = true, description = "Where the network is written.")
    private String output;

    @Option(
            names = "--features",
            defaultValue = "4096",
            description = "Inputs: hashed counts of words (default: ${DEFAULT-VALUE}).")
    private int features;

    @Option(
            names = "--hidden",
            defaultValue = "64",
            description = "Units of the hidden layer (default: ${DEFAULT-VALUE}).")
    private int hidden;

    @Option(names = "--epochs", defaultValue = "10", description = "Passes over the data (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(
            names = "--batch-size",
            defaultValue = "32",
            description = "Answers of one step (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(
            names = "--learning-rate",
            defaultValue = "0.001",
            description = "Learning rate of Adam (default: ${DEFAULT-VALUE}).")
    private double learningRate;

    @Option(
            names = "--held-out",
            defaultValue = "0.1",
            description = "Share of prompts that only measure (default: ${DEFAULT-VALUE}).")
    private double heldOut;

    @Option(
            names = "--seed",
            defaultValue = "0",
            description = "Seed of weights and order (default: ${DEFAULT-VALUE}).")
    private long seed;

    NetworkCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        interrupts.check();
    }

    @Override
    public Integer call() throws IOException {
        if (features < 16 || hidden < 1 || epochs < 1 || batchSize < 1 || heldOut < 0 || heldOut >= 1) {
            throw Rlhf4jException.configuration(
                    "features has to be 16 at least, hidden, epochs and batch-size 1 at least,"
                            + " held-out from 0 to below 1");
        }
        RandomStream split = RandomStream.of(seed).at("held-out");
        // By prompt: answers to one prompt are alike, and would give each other away.
        Map<Boolean, List<LabelledText>> parts =
                LabelledTextFile.read(new Path(data), HadoopSettings.ofProcess()).stream()
                        .collect(Collectors.partitioningBy(
                                text -> split.at(text.prompt()).uniform(0) < heldOut));
        TextNetworkTrainer trainer = new TextNetworkTrainer(
                new TextNetworkTrainer.Settings(features, hidden, epochs, batchSize, learningRate, seed));
        TextNetworkTrainer.Accuracy accuracy =
                trainer.trainAndSave(parts.get(false), parts.get(true), new Path(output), HadoopSettings.ofProcess());
        report("trained on", parts.get(false), accuracy.trained());
        report("held out", parts.get(true), accuracy.heldOut());
        terminal.out().println("written to " + output);
        return 0;
    }

    private void report(String name, List<LabelledText> texts, double accuracy) {
        if (!texts.isEmpty()) {
            terminal.out().printf("%-10s  %6d answers, accuracy %.3f%n", name, texts.size(), accuracy);
        }
    }
}
