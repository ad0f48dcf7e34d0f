package io.rlhf4j.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** What happens to the machines of a run of two ranks, and what the run does about it by itself. */
@Tag("cluster-long")
@EnabledOnOs(OS.LINUX)
class RecoveryTest {
    private static final int RANKS = 2;
    private static final int ITERATIONS = 8;
    private static final int PROMPTS = 8;
    private static final Duration LIMIT = Duration.ofMinutes(20);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path folder;

    private TinyPpo ppo;
    private StandaloneCluster cluster;
    private ExecutorWatch watch;
    private final List<Jvm> workers = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        ppo = new TinyPpo(folder);
        cluster = new StandaloneCluster(folder);
        for (int rank = 0; rank < RANKS; rank++) {
            workers.add(cluster.addWorker(1, "2g"));
        }
        watch = new ExecutorWatch(cluster);
    }

    @AfterEach
    void stop() {
        watch.close();
        cluster.close();
    }

    @Test
    void anExecutorThatJoinsLaterTakesPartInTheRolloutsWithTheSameRows() throws Exception {
        byte[] alone = undisturbed();
        try (Jvm driver = submit("joined")) {
            awaitPhase("update");
            cluster.addWorker(1, "2g");
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isZero();
        }
        List<String> newcomer = phasesOf("2");
        assertThat(newcomer).contains("load", "generate", "score");
        assertThat(weights("joined")).isEqualTo(alone);
    }

    @Test
    void aNodeThatIsDecommissionedIsReplacedByAnother() throws Exception {
        byte[] whole = undisturbed();
        try (Jvm driver = submit("decommissioned", "spark.decommission.enabled=true")) {
            awaitPhase("update");
            cluster.addWorker(1, "2g");
            // What a cloud's notice of preemption is turned into.
            workers.get(0).signal("PWR");
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isZero();
        }
        assertThat(phasesOf("2")).contains("generate", "update", "checkpoint");
        assertThat(weights("decommissioned")).isEqualTo(whole);
    }

    @Test
    void aNodeThatIsLostIsWaitedForUntilThereIsAnother() throws Exception {
        byte[] whole = undisturbed();
        try (Jvm driver = submit("lost")) {
            awaitPhase("update");
            workers.get(0).close();
            awaitText(driver, "again from the last checkpoint");
            cluster.addWorker(1, "2g");
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isZero();
            assertThat(driver.text())
                    .containsPattern("the update of iteration \\d+: rank [01] on .* went with its executor");
        }
        assertThat(weights("lost")).isEqualTo(whole);
    }

    @Test
    void withoutEnoughNodesTheRunEndsWithTheCodeOfAClusterThatCannotRunIt() throws Exception {
        try (Jvm driver = submit("short", List.of(), "cluster.slot_timeout=15s")) {
            awaitPhase("update");
            workers.get(0).close();
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isEqualTo(4);
            assertThat(driver.text()).contains("2 ranks need 2 slots at once, the cluster has 1");
        }
    }

    @Test
    void aRankThatHangsIsNamedAndItsExecutorReplaced() throws Exception {
        byte[] whole = undisturbed();
        try (Jvm driver = submit("hung", List.of(), "cluster.collective_timeout=20s")) {
            awaitPhase("update");
            ExecutorProcess victim =
                    watch.awaitIn("update", new Random(0), LIMIT).orElseThrow();
            victim.signal("STOP");
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isZero();
            assertThat(driver.text())
                    .containsPattern(
                            "the update of iteration \\d+: rank\\(s\\) \\[[01]\\] on \\[127.0.0.\\d \\(executor [01]\\)\\]"
                                    + " did not end within 20 s after another had failed and are given up")
                    .containsPattern("rank [01] waited 20 s for rank\\(s\\) [01] at");
            assertThat(victim.isAlive()).isFalse();
        }
        assertThat(weights("hung")).isEqualTo(whole);
    }

    @Test
    void aRankOnASlowMachineIsNamed() throws Exception {
        try (Jvm driver = submit("slow")) {
            awaitPhase("update");
            ExecutorProcess slow = watch.ofNewestApplication().get(0);
            AtomicBoolean over = new AtomicBoolean();
            Thread brake = new Thread(() -> slowDown(slow, over));
            brake.start();
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isZero();
            over.set(true);
            brake.join();
            assertThat(driver.text())
                    .containsPattern(
                            "straggler: rank [01] on 127.0.0.\\d \\(executor %s\\) worked [0-9.]+ times as long"
                                    .formatted(slow.number()));
        }
    }

    /** Lets the process run a fifth of the time. */
    private static void slowDown(ExecutorProcess process, AtomicBoolean over) {
        try {
            while (!over.get() && process.isAlive()) {
                process.signal("STOP");
                Thread.sleep(80);
                process.signal("CONT");
                Thread.sleep(20);
            }
        } catch (IOException | InterruptedException ended) {
            assertThat(process.isAlive()).as("%s", ended).isFalse();
        }
    }

    private byte[] undisturbed() throws Exception {
        try (Jvm driver = submit("undisturbed")) {
            assertThat(driver.exitCode(LIMIT)).as(driver.text()).isZero();
        }
        return weights("undisturbed");
    }

    private Jvm submit(String run, String... spark) throws IOException {
        return submit(run, List.of(spark));
    }

    private Jvm submit(String run, List<String> spark, String... settings) throws IOException {
        List<String> options = new ArrayList<>(
                List.of("--driver-memory", "768m", "--executor-memory", "768m", "--executor-cores", "1"));
        for (String setting : spark) {
            options.addAll(List.of("--conf", setting));
        }
        List<String> command = new ArrayList<>(List.of(
                "ppo", "--config", ppo.config(run, RANKS, ITERATIONS, PROMPTS).toString()));
        // More partitions than ranks: whoever joins finds something to do.
        command.addAll(List.of("--set", "cluster.rollout_partitions=4"));
        for (String setting : settings) {
            command.addAll(List.of("--set", setting));
        }
        return cluster.sparkSubmit(run, options, command);
    }

    private void awaitPhase(String phase) throws Exception {
        assertThat(watch.awaitIn(phase, new Random(0), LIMIT)).as(phase).isPresent();
    }

    private static void awaitText(Jvm driver, String text) throws Exception {
        driver.await(Pattern.compile("(" + text + ")"), LIMIT);
    }

    /** What the executor of that number in the newest application was at. */
    private List<String> phasesOf(String number) {
        List<ExecutorWatch.Moment> all = watch.moments();
        String newest = all.get(all.size() - 1).executor().application();
        return all.stream()
                .filter(moment -> moment.executor().application().equals(newest)
                        && moment.executor().number().equals(number))
                .map(moment -> moment.phase().name())
                .distinct()
                .toList();
    }

    private byte[] weights(String run) throws IOException {
        return Files.readAllBytes(ppo.runs().resolve(run).resolve("export/actor/model.safetensors"));
    }
}
