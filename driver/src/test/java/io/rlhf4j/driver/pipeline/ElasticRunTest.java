package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One run, by four ranks at stage 3, then two at stage 1, then three at stage 2. */
@Timeout(900)
class ElasticRunTest {
    private static SparkSession session;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        session = LocalSpark.start(4);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void fineTuningGoesOnWithTheSameCurve() throws IOException {
        new Pipeline(session, sft("alone", "cluster.ranks=1"), Progress.silent()).runSft();

        List<String> notes = new ArrayList<>();
        // Checkpoints come every 5 steps: what was done since the last one is done again, by other ranks.
        stopped(sft("elastic", "cluster={threads: 1, ranks: 4, zero: {sft: 3}}"), "sft", 7, notes);
        stopped(sft("elastic", "cluster={threads: 1, ranks: 2, zero: {sft: 1}}"), "sft", 12, notes);
        new Pipeline(
                        session,
                        sft("elastic", "cluster={threads: 1, ranks: 3, zero: {sft: 2}}"),
                        new StopAfter("sft", Long.MAX_VALUE, notes))
                .runSft();

        assertSameCurve("elastic", "alone", "loss", 20);
        assertThat(notes)
                .anySatisfy(line -> assertThat(line).contains("cluster.ranks was 4 and is 2"))
                .anySatisfy(line -> assertThat(line).contains("cluster.ranks was 2 and is 3"))
                .anySatisfy(line -> assertThat(line).contains("cluster.zero.sft was 3 and is 1"));
    }

    @Test
    void ppoGoesOnWithTheSameCurve() throws IOException {
        new Pipeline(session, ppo("ppo-alone", "cluster.ranks=1"), Progress.silent()).runPpo();

        List<String> notes = new ArrayList<>();
        stopped(
                ppo("ppo-elastic", "cluster={threads: 1, ranks: 4, zero: {actor: 3, critic: 3, reference: 3}}"),
                "ppo",
                2,
                notes);
        stopped(ppo("ppo-elastic", "cluster={threads: 1, ranks: 2, zero: {actor: 1, critic: 1}}"), "ppo", 4, notes);
        new Pipeline(
                        session,
                        ppo("ppo-elastic", "cluster={threads: 1, ranks: 3, zero: {actor: 2, critic: 2}}"),
                        new StopAfter("ppo", Long.MAX_VALUE, notes))
                .runPpo();

        assertSameCurve("ppo-elastic", "ppo-alone", "value_loss", 6);
        assertSameCurve("ppo-elastic", "ppo-alone", "entropy", 6);
        assertThat(notes).anySatisfy(line -> assertThat(line).contains("cluster.zero.reference was 3 and is 0"));
    }

    private void assertSameCurve(String name, String expected, String metric, int steps) throws IOException {
        List<MetricsRow> curve = curve(name);
        List<MetricsRow> alone = curve(expected);
        assertThat(curve).hasSize(steps);
        for (int step = 0; step < steps; step++) {
            assertThat(curve.get(step).position()).isEqualTo(step + 1);
            assertThat(curve.get(step).values().get(metric))
                    .as("%s of step %d", metric, step + 1)
                    .isCloseTo(alone.get(step).values().get(metric), withinPercentage(0.1));
        }
        assertThat(curve.get(steps - 1).values().get(metric))
                .isNotCloseTo(curve.get(0).values().get(metric), withinPercentage(0.2));
    }

    private List<MetricsRow> curve(String name) throws IOException {
        return RunFolder.of(sft(name), new Configuration()).openMetrics().rows().stream()
                .filter(row -> row.series().equals("train"))
                .toList();
    }

    private void stopped(RunConfig config, String phase, long steps, List<String> notes) {
        StopAfter stop = new StopAfter(phase, steps, notes);
        Pipeline pipeline = new Pipeline(session, config, stop);
        stop.pipeline = pipeline;
        assertThatThrownBy(() -> {
                    if (phase.equals("sft")) {
                        pipeline.runSft();
                    } else {
                        pipeline.runPpo();
                    }
                })
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.INTERRUPTED));
    }

    private RunConfig sft(String name, String... overrides) throws IOException {
        List<String> all = new ArrayList<>(
                List.of("sft={epochs: 10, max_steps: 20, batch_size: 12}", "checkpoints.every_steps=5"));
        all.addAll(List.of(overrides));
        return TinyRun.in(folder, name, all.toArray(String[]::new));
    }

    private RunConfig ppo(String name, String... overrides) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "ppo={iterations: 6, prompts: 12, samples: 1, epochs: 1, minibatches: 1, critic_init: actor}",
                "ppo.rewards=[{kind: rule, name: short, rule: length, target: 4}]",
                "ppo.critic_optimizer.learning_rate=1.0e-3",
                "ppo.actor_optimizer.learning_rate=1.0e-4",
                "ppo.sampling.max_new_tokens=8",
                "data.sources.0.steps=[sft, ppo]",
                "evaluation={rows: 0}",
                "evaluation.sampling.max_new_tokens=8",
                "checkpoints.every_iterations=1"));
        all.addAll(List.of(overrides));
        return TinyRun.in(folder, name, all.toArray(String[]::new));
    }

    /** Stops the pipeline when so many steps of a phase are done, and keeps what is noted. */
    private static final class StopAfter implements Progress {
        private final String phase;
        private final long steps;
        private final List<String> notes;
        private Pipeline pipeline;

        StopAfter(String phase, long steps, List<String> notes) {
            this.phase = phase;
            this.steps = steps;
            this.notes = notes;
        }

        @Override
        public void begin(String begun, long done, long total) {}

        @Override
        public void advance(String advanced, long done, Map<String, Double> metrics) {
            if (advanced.equals(phase) && done == steps) {
                pipeline.interrupt();
            }
        }

        @Override
        public void end(String ended) {}

        @Override
        public void note(String line) {
            notes.add(line);
        }
    }
}
