package io.rlhf4j.driver.command;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.spark.HadoopSettings;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Option;

/** The options of every command that works on a configuration. */
final class ConfigOptions {
    @Option(
            names = {"-c", "--config"},
            required = true,
            paramLabel = "FILE",
            description = "Configuration in YAML; docs/configuration.md has all keys.")
    private String file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A value above the file's, such as ppo.kl.beta=0.1. May be given several times.")
    private List<String> overrides = new ArrayList<>();

    RunConfig load() {
        return ConfigFile.load(new Path(file), HadoopSettings.ofProcess(), overrides);
    }
}
