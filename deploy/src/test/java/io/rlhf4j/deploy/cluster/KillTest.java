package io.rlhf4j.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.Step;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.workers.checkpoint.CheckpointStore;
import io.rlhf4j.workers.checkpoint.Retention;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever is killed, a run ends with the bits of the undisturbed one: PPO with two ranks on three executors, ten of
 * which die, with two drivers, and a driver that comes back when it was replaced. Prints what it cost and writes it to
 * {@code target/kill-test.json}.
 */
@Tag("cluster-long")
@EnabledOnOs(OS.LINUX)
class KillTest {
    private static final int EXECUTORS = 3;
    /** One executor is spare: a rank of a dead one goes on there while another is started. */
    private static final int RANKS = 2;

    private static final int ITERATIONS = Integer.getInteger("rlhf4j.kill.iterations", 75);
    private static final int PROMPTS = Integer.getInteger("rlhf4j.kill.prompts", 12);
    private static final long SEED = Long.getLong("rlhf4j.kill.seed", 0);
    private static final Duration LIMIT = Duration.ofMinutes(20);
    private static final String WRITTEN = "-XX:ArchiveClassesAtExit=";
    private static final String READ = "-XX:SharedArchiveFile=";
    private static final List<String> MODELS = List.of("actor", "critic", "actor-ema");

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path folder;

    private TinyPpo ppo;

    @Test
    void theRunEndsWithTheBitsOfTheUndisturbedOneWhateverIsKilled() throws Exception {
        ppo = new TinyPpo(folder);
        try (StandaloneCluster cluster = new StandaloneCluster(folder)) {
            for (int worker = 0; worker < EXECUTORS; worker++) {
                // A second core in each, because a stopped driver keeps its executors.
                cluster.addWorker(2, "3g");
            }
            archiveExecutor(cluster);
            try (ExecutorWatch watch = new ExecutorWatch(cluster)) {
                Instant begin = Instant.now();
                undisturbed(cluster);
                Instant between = Instant.now();
                List<DisturbedRun.Event> events = disturbed(cluster, watch);
                Instant end = Instant.now();
                KillFigures figures = new KillFigures(
                        Duration.between(begin, between),
                        Duration.between(between, end),
                        metrics("undisturbed"),
                        metrics("disturbed"),
                        events,
                        watch.moments());
                figures.write(Path.of("target", "kill-test.json"));
                System.out.println(figures.text());
                requireEachPhaseHit(events);
            }
        }
        requireSameWeights();
        requireSameMetrics();
        requireSameRows();
    }

    /** What the JVM of a first executor has loaded, others start with (class data sharing). */
    private void archiveExecutor(StandaloneCluster cluster) throws Exception {
        Path config = ppo.config("archive", 1, 2, PROMPTS);
        List<String> options = options("-XX:+RecordDynamicDumpInfo", 1, "-Xshare:auto");
        try (ExecutorWatch watch = new ExecutorWatch(cluster);
                Jvm driver = cluster.sparkSubmit("archive", options, List.of("ppo", "--config", config.toString()))) {
            watch.awaitIn("publish", new Random(SEED), LIMIT).orElseThrow().archiveClasses(executorArchive());
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isZero();
        }
    }

    /** Leaves what a driver has loaded. */
    private void undisturbed(StandaloneCluster cluster) throws IOException, InterruptedException {
        try (Jvm driver = submit(cluster, "undisturbed", "undisturbed", WRITTEN)) {
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isZero();
        }
    }

    private List<DisturbedRun.Event> disturbed(StandaloneCluster cluster, ExecutorWatch watch) throws Exception {
        Random random = new Random(SEED);
        RunFolder run = runFolder("disturbed");
        CheckpointStore checkpoints = new CheckpointStore(
                run.checkpoints(Step.PPO), new Configuration(), new Retention(1, 0), Map.of(), Fence.open());
        try (DisturbedRun disturbed =
                new DisturbedRun(log -> submit(cluster, "disturbed", log, READ), watch, run, checkpoints, random)) {
            return disturbed.endure(KillPlan.of(random));
        }
    }

    private Jvm submit(StandaloneCluster cluster, String run, String log, String driverArchive) throws IOException {
        List<String> options = options(
                "-XX:+UseSerialGC " + READ + executorArchive(),
                EXECUTORS,
                "-XX:+UseSerialGC " + driverArchive + folder.resolve("driver.jsa"));
        Path config = ppo.config(run, RANKS, ITERATIONS, PROMPTS);
        List<String> command = List.of("ppo", "--config", config.toString(), "--set", "cluster.backoff=100ms");
        return cluster.sparkSubmit(log, options, command);
    }

    private List<String> options(String executorOptions, int executors, String driverOptions) {
        return List.of(
                "--conf",
                "spark.network.timeout=600s",
                // A new executor is slow until its JVM has compiled what it runs: others make its rollouts meanwhile.
                "--conf",
                "spark.speculation=true",
                "--conf",
                "spark.speculation.quantile=0.5",
                "--conf",
                "spark.speculation.multiplier=1.5",
                "--conf",
                "spark.executor.extraJavaOptions=" + executorOptions,
                "--driver-java-options",
                driverOptions,
                "--total-executor-cores",
                Integer.toString(executors),
                "--driver-memory",
                "768m",
                "--executor-memory",
                "768m",
                "--executor-cores",
                "1");
    }

    private Path executorArchive() {
        return folder.resolve("executor.jsa");
    }

    private RunFolder runFolder(String run) {
        return new RunFolder(
                new org.apache.hadoop.fs.Path(ppo.runs().resolve(run).toUri()), new Configuration());
    }

    private static void requireEachPhaseHit(List<DisturbedRun.Event> events) {
        Map<KillPlan.Kind, Long> kinds =
                events.stream().collect(Collectors.groupingBy(DisturbedRun.Event::kind, Collectors.counting()));
        assertThat(kinds)
                .containsEntry(KillPlan.Kind.EXECUTOR_DIES, 10L)
                .containsEntry(KillPlan.Kind.DRIVER_DIES, 2L)
                .containsEntry(KillPlan.Kind.DRIVER_IS_REPLACED, 1L);
        assertThat(events.stream().map(DisturbedRun.Event::phase).toList()).containsAll(KillPlan.PHASES);
    }

    private void requireSameWeights() throws IOException {
        for (String model : MODELS) {
            assertThat(weights("disturbed", model)).as(model).isEqualTo(weights("undisturbed", model));
        }
    }

    private byte[] weights(String run, String model) throws IOException {
        return Files.readAllBytes(ppo.runs().resolve(run).resolve("export/%s/model.safetensors".formatted(model)));
    }

    private void requireSameMetrics() throws IOException {
        assertThat(numbers("disturbed")).hasSize(ITERATIONS + 2).isEqualTo(numbers("undisturbed"));
    }

    private List<MetricsRow> metrics(String run) throws IOException {
        return runFolder(run).openMetrics().rows();
    }

    /** All metrics but those that tell of time, memory and the network, by series and position. */
    private Map<String, Map<String, Double>> numbers(String run) throws IOException {
        Map<String, Map<String, Double>> numbers = new TreeMap<>();
        for (MetricsRow row : metrics(run)) {
            Map<String, Double> values = new TreeMap<>(row.values());
            values.keySet()
                    .removeIf(name ->
                            name.matches("(seconds|tokens_per_second|memory|communication|slowest_rank)(_.*)?"));
            assertThat(values).isNotEmpty();
            numbers.put("%s %s %d".formatted(row.step(), row.series(), row.position()), values);
        }
        return numbers;
    }

    private void requireSameRows() throws IOException {
        try (SparkSession session = SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", "false")
                .getOrCreate()) {
            Dataset<Row> rows = rollouts(session, "disturbed");
            rows.createOrReplaceTempView("rollouts");
            Row counts = session.sql("SELECT count(*), count(DISTINCT iteration, source, row_key, sample_index),"
                            + " count(DISTINCT iteration) FROM rollouts")
                    .first();
            assertThat(counts.getLong(0)).isEqualTo((long) ITERATIONS * PROMPTS);
            assertThat(counts.getLong(1)).isEqualTo((long) ITERATIONS * PROMPTS);
            assertThat(counts.getLong(2)).isEqualTo(ITERATIONS);
            assertThat(json(rows)).isEqualTo(json(rollouts(session, "undisturbed")));
        }
    }

    private Dataset<Row> rollouts(SparkSession session, String run) {
        return session.read()
                .parquet(ppo.runs().resolve(run).resolve("rollouts").toString());
    }

    private static List<String> json(Dataset<Row> rows) {
        return rows.orderBy("iteration", "source", "row_key", "sample_index")
                .toJSON()
                .collectAsList();
    }
}
