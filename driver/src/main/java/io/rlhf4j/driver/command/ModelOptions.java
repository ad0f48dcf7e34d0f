package io.rlhf4j.driver.command;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.driver.chat.ChatModel;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Option;

/** The options of commands that let a model answer. */
final class ModelOptions {
    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "FOLDER",
            description = "Hugging Face model directory, for instance runs/NAME/export/actor.")
    private String model;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "fp32 (default) or bf16.")
    private DType type = DType.FP32;

    @Option(names = "--backend", paramLabel = "NAME", description = "cpu, nd4j or auto (default).")
    private String backend = Backends.AUTO;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute; all cores by default.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--seed", paramLabel = "N", description = "Seed of sampling; 0 by default.")
    private long seed;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A setting of sampling, such as temperature=0.7, top_p=0.9 or max_new_tokens=64."
                    + " Greedy by default. May be given several times.")
    private List<String> sampling = new ArrayList<>();

    /** Loads the model; says on {@code terminal} what the choice of backend costs, if anything. */
    ChatModel load(Terminal terminal, Configuration hadoop) throws IOException {
        Backends.Choice choice = Backends.onClassPath().choose(backend, threads);
        if (!choice.note().isEmpty()) {
            terminal.err().println("note: " + choice.note());
        }
        return ChatModel.load(new Path(model), choice, type, hadoop);
    }

    SamplingConfig sampling() {
        return ConfigFile.parse(SamplingConfig.class, "temperature: 0", sampling.toArray(String[]::new));
    }

    RandomStream stream() {
        return RandomStream.of(seed);
    }

    @Override
    public String toString() {
        return "%s in %s".formatted(model, type.name().toLowerCase(Locale.ROOT));
    }
}
