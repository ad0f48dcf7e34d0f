package io.rlhf4j.driver.command;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.pipeline.Pipeline;
import io.rlhf4j.driver.pipeline.StepResult;
import io.rlhf4j.driver.plan.Bytes;
import io.rlhf4j.driver.plan.PeakMemory;
import io.rlhf4j.driver.plan.RunPlan;
import io.rlhf4j.driver.report.Numbers;
import io.rlhf4j.driver.report.RunReport;
import io.rlhf4j.driver.spark.HadoopSettings;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunStatus;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;

/**
 * A run from its plan to its last status: every command that trains goes through here, so that all of them write the same
 * files, stop in the same way and say how to go on.
 */
final class TrainingRun {
    private final Terminal terminal;
    private final Interrupts interrupts;
    private final RunConfig config;
    private final Configuration hadoop;

    TrainingRun(Terminal terminal, Interrupts interrupts, RunConfig config) {
        this.terminal = terminal;
        this.interrupts = interrupts;
        this.config = config;
        this.hadoop = HadoopSettings.of(config);
    }

    /**
     * Plans, runs and reports.
     *
     * @param command its name, for status.json
     * @param steps those that {@code work} does
     * @param work what to do with the pipeline
     */
    List<StepResult> execute(String command, List<Step> steps, Function<Pipeline, List<StepResult>> work)
            throws IOException {
        RunPlan plan = RunPlan.of(config, steps, hadoop);
        terminal.out().print(plan.text());
        plan.requireFitting();
        try (LeasedRun run = new LeasedRun(terminal, interrupts, config, hadoop)) {
            return execute(command, run, work);
        }
    }

    private List<StepResult> execute(String command, LeasedRun run, Function<Pipeline, List<StepResult>> work)
            throws IOException {
        RunFolder folder = RunFolder.of(config, hadoop, run.fence());
        LogFile.moveTo(folder.root(), folder.root().getFileSystem(hadoop));
        RunStatus status = RunStatus.running(command, run.fence().epoch());
        Optional<RunStatus> before = folder.readStatus();
        folder.writeStatus(status);
        AtomicBoolean begun = new AtomicBoolean();
        try {
            List<StepResult> results = run.onSpark(pipeline -> {
                pipeline.begin();
                begun.set(true);
                return work.apply(pipeline);
            });
            folder.writeStatus(status.done());
            print(results);
            print(peaks(folder), config.cluster().ranks());
            terminal.out().println();
            report(folder);
            terminal.out().println("run folder: " + folder.root());
            return results;
        } catch (Throwable thrown) {
            // Everything: Scala throws checked exceptions that no signature tells of.
            // Who has lost the lease is stopped, but the run goes on elsewhere: its status is not ours to write.
            run.requireHeld();
            Rlhf4jException failure = Failures.asOurs(thrown);
            if (failure.kind() == ErrorKind.CONFIGURATION && before.isPresent() && !begun.get()) {
                // What was told does not fit the run: that is no news of the run itself.
                folder.writeRefusal(status.failed(failure));
                folder.writeStatus(before.get());
                throw thrown;
            }
            folder.writeStatus(status.failed(failure));
            report(folder);
            if (failure.kind() == ErrorKind.INTERRUPTED) {
                throw resumable(failure);
            }
            throw thrown;
        }
    }

    /** Whatever the run came to; a report that fails changes nothing about that. */
    private void report(RunFolder folder) {
        try {
            RunReport.write(folder, hadoop, peaks(folder));
            terminal.out().println("report: " + folder.report());
        } catch (IOException | RuntimeException unwritten) {
            terminal.err().println("note: %s is not written: %s".formatted(folder.report(), unwritten.getMessage()));
        }
    }

    /** Of all steps that the run has done something of, those of earlier commands too. */
    private List<PeakMemory> peaks(RunFolder folder) throws IOException {
        List<MetricsRow> rows = folder.openMetrics().rows();
        TreeSet<Step> told = rows.stream().map(MetricsRow::step).collect(Collectors.toCollection(TreeSet::new));
        return PeakMemory.of(RunPlan.of(config, told, hadoop), rows);
    }

    private static Rlhf4jException resumable(Rlhf4jException failure) {
        return new Rlhf4jException(
                ErrorKind.INTERRUPTED,
                "nothing committed is lost; the same command goes on from the last checkpoint",
                failure);
    }

    private void print(List<StepResult> results) {
        for (StepResult result : results) {
            terminal.out().println();
            terminal.out().println("%s: %d steps".formatted(result.step().key(), result.steps()));
            TextTable table = new TextTable("held-out rows", "before", "after");
            Map<String, Double> names = new TreeMap<>(result.before());
            names.putAll(result.after());
            names.keySet().forEach(name -> table.row(name, cell(result.before(), name), cell(result.after(), name)));
            terminal.out().print(names.isEmpty() ? "" : table);
            result.exports().forEach((name, path) -> terminal.out().println("  %s: %s".formatted(name, path)));
        }
    }

    private void print(List<PeakMemory> peaks, int ranks) {
        if (peaks.isEmpty()) {
            return;
        }
        TextTable table = new TextTable("memory, at its peak", "planned for a rank", "counted on a rank", "process");
        peaks.forEach(peak -> table.row(
                peak.step().key(),
                Bytes.text(peak.planned()),
                Bytes.text(peak.counted()),
                Bytes.text(peak.resident())));
        terminal.out().println();
        terminal.out().print(table);
        terminal.out()
                .println(
                        "counted: tensors of one of %d rank(s); process: the ranks in it, the JVM and its heap, since its start"
                                .formatted(ranks));
    }

    private static String cell(Map<String, Double> values, String name) {
        return values.containsKey(name) ? Numbers.text(values.get(name)) : "";
    }
}
