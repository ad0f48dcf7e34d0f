package io.rlhf4j.driver.command;

import io.rlhf4j.config.ClusterConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.spark.HadoopSettings;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunStatus;
import io.rlhf4j.run.lease.RunWatch;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rlhf4j wait}. */
@Command(
        name = "wait",
        description =
                "Waits for the end of a run that runs elsewhere, and ends with its exit code. It reads the run's folder and"
                        + " nothing else: in Spark's cluster mode, spark-submit does not carry the code.",
        mixinStandardHelpOptions = true)
final class WaitCommand implements Callable<Integer> {
    private static final Duration EXPIRY = Duration.ofSeconds(30);

    private final Terminal terminal;

    @Mixin
    private RunArgument run;

    @Option(
            names = "--after",
            paramLabel = "EPOCH",
            defaultValue = "0",
            description = "Only a later start of the run counts: the epoch that status.json had before it.")
    private long after;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "31536000",
            description = "How long to wait at most; a year if nothing is given.")
    private long timeout;

    WaitCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        interrupts.check();
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Configuration hadoop = HadoopSettings.ofProcess();
        RunFolder folder = run.folder(hadoop);
        Duration expiry = folder.readConfig()
                .map(RunConfig::cluster)
                .map(ClusterConfig::leaseExpiry)
                .orElse(EXPIRY);
        RunStatus end =
                new RunWatch(folder, hadoop, expiry).end(after, Duration.ofSeconds(timeout), terminal.err()::println);
        terminal.out()
                .println("%s: %s%s"
                        .formatted(
                                end.command(),
                                end.state().name().toLowerCase(Locale.ROOT),
                                end.message().isEmpty() ? "" : ": " + end.message()));
        return end.exitCode();
    }
}
