package io.rlhf4j.driver.identity;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.data.SourceFiles;
import io.rlhf4j.run.Machine;
import io.rlhf4j.run.RunIdentity;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Gathers what decides the bits of a run but stands outside of its configuration: files and versions. */
final class RunInputs {
    private final Configuration hadoop;
    private final FileFacts facts;

    RunInputs(Configuration hadoop) {
        this.hadoop = hadoop;
        this.facts = new FileFacts(hadoop);
    }

    /** The identity of a run that starts now. Processor and backend are those of this machine. */
    RunIdentity identity(RunConfig config, Machine machine) throws IOException {
        Map<String, String> inputs = new TreeMap<>();
        for (SourceConfig source : config.data().sources()) {
            inputs.put("files of source '%s'".formatted(source.label()), ofSource(source));
        }
        for (Step step : Step.values()) {
            inputs.put(modelOf(step), ofModel(new Path(initial(step, config))));
        }
        inputs.put("files of the tokenizer", ofModel(new Path(config.models().tokenizerOrActor())));
        if (config.models().chatTemplate().isPresent()) {
            Path template = new Path(config.models().chatTemplate().get());
            FileSystem system = template.getFileSystem(hadoop);
            inputs.put(
                    "files of the chat template",
                    system.exists(template) ? facts.ofModel(List.of(system.getFileStatus(template))) : "missing");
        }
        LibraryVersions.all().forEach((library, version) -> inputs.put("version of " + library, version));
        return RunIdentity.of(config, machine, inputs);
    }

    /** Name of the fact that tells which model a step starts from. */
    static String modelOf(Step step) {
        return "files of the model of " + step.key();
    }

    /** The model that the configuration gives a step; results of the run's own steps are not looked at. */
    private static String initial(Step step, RunConfig config) {
        return switch (step) {
            case SFT -> config.sft().initial().orElse(config.models().actor());
            case REWARD ->
                config.reward().startsFromSft()
                        ? initial(Step.SFT, config)
                        : config.reward().initial().orElse(config.models().rewardOrActor());
            case PPO -> config.ppo().actor().orElse(config.models().actor());
        };
    }

    private String ofSource(SourceConfig source) throws IOException {
        List<FileStatus> files = SourceFiles.of(source, hadoop);
        return files.isEmpty() ? "no files: a table, or missing" : facts.ofSource(files);
    }

    private String ofModel(Path directory) throws IOException {
        FileSystem system = directory.getFileSystem(hadoop);
        if (!system.exists(directory)) {
            return "missing";
        }
        return facts.ofModel(Arrays.stream(system.listStatus(directory))
                .filter(FileStatus::isFile)
                .filter(file -> file.getPath().getName().matches(".*\\.(json|safetensors|bin|jinja)"))
                .sorted()
                .toList());
    }
}
