package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.data.DataReport;
import io.rlhf4j.driver.data.DataReport.SourceReport;
import io.rlhf4j.driver.pipeline.Pipeline;
import io.rlhf4j.driver.spark.HadoopSettings;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code rlhf4j data}. */
@Command(
        name = "data",
        description = "Reads, maps, splits and tokenizes the sources, and counts what became of the rows.",
        mixinStandardHelpOptions = true)
final class DataCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interrupts interrupts;

    @Mixin
    private ConfigOptions options;

    DataCommand(Terminal terminal, Interrupts interrupts) {
        this.terminal = terminal;
        this.interrupts = interrupts;
    }

    @Override
    public Integer call() throws IOException {
        RunConfig config = options.load();
        try (LeasedRun run = new LeasedRun(terminal, interrupts, config, HadoopSettings.of(config))) {
            print(run.onSpark(Pipeline::prepareData));
        }
        return 0;
    }

    private void print(DataReport report) {
        TextTable table =
                new TextTable("source", "read", "used", "dropped", "quarantined", "duplicates", "contradictions");
        for (SourceReport source : report.sources()) {
            table.row(
                    source.source(),
                    source.read(),
                    sum(source.used()),
                    sum(source.dropped()),
                    sum(source.quarantined()),
                    source.duplicates(),
                    source.contradictions());
        }
        terminal.out().print(table);
        for (SourceReport source : report.sources()) {
            print(source.source(), "used for", source.used());
            print(source.source(), "dropped for", source.dropped());
            print(source.source(), "quarantined for", source.quarantined());
        }
        terminal.out().println("snapshot " + report.snapshot());
    }

    private void print(String source, String what, Map<String, Long> counts) {
        if (!counts.isEmpty()) {
            terminal.out()
                    .println("%s: %s %s"
                            .formatted(
                                    source,
                                    what,
                                    counts.entrySet().stream()
                                            .map(entry -> entry.getKey() + " " + entry.getValue())
                                            .collect(Collectors.joining(", "))));
        }
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }
}
