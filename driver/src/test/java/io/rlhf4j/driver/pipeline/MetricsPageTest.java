package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.spark.LocalSpark;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a run of all steps writes to metrics.jsonl, and the page that explains it. */
@Timeout(170)
class MetricsPageTest {
    private static final Path PAGE = Path.of("..", "docs", "watch-a-run.md");

    @TempDir
    private static Path folder;

    private static SparkSession session;
    private static List<MetricsRow> rows;

    @BeforeAll
    static void run() throws IOException {
        session = LocalSpark.start(2);
        RunConfig config = TinyRun.ofThreeSteps(
                folder,
                "told",
                "ppo.rewards=[{kind: model, name: judged}, {kind: rule, name: short, rule: length, target: 4}]");
        new Pipeline(session, config, Progress.silent()).runAll();
        rows = RunFolder.of(config, new Configuration()).openMetrics().rows();
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void everyNumberOfARunIsExplained() throws IOException {
        String page = Files.readString(PAGE);
        assertThat(rows).extracting(MetricsRow::step).contains(Step.SFT, Step.REWARD, Step.PPO);
        TreeSet<String> names = rows.stream()
                .flatMap(row -> row.values().keySet().stream())
                .map(MetricsPageTest::withoutNamesOfTheRun)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(names).hasSizeGreaterThan(50).allSatisfy(name -> assertThat(page)
                .contains("`" + name + "`"));
    }

    @Test
    void anIterationTellsHowItWentAndWhereTheTimeWent() {
        assertThat(rows)
                .filteredOn(row -> row.step() == Step.PPO && row.series().equals("train"))
                .hasSize(2)
                .allSatisfy(row -> assertThat(row.values())
                        .containsKeys("score_mean", "score_std", "score/demonstrations")
                        .containsKeys("kl_sum", "kl_token", "kl_sum_k3", "kl_token_k3")
                        .containsKeys("entropy", "approx_kl", "clip_fraction", "ratio_max")
                        .containsKeys("explained_variance", "value_loss", "gradient_norm_actor", "gradient_norm_critic")
                        .containsKeys("response_length", "eos_rate", "truncated_rate", "dropped_rate")
                        .containsKeys("seconds_generate", "seconds_score", "seconds_train_actor")
                        .containsKeys("seconds_train_critic", "seconds_communicate", "seconds_switch")
                        .containsKeys(
                                "tokens_per_second_generate", "tokens_per_second_score", "tokens_per_second_train"));
    }

    @Test
    void theEstimatorThatIsNeverNegativeIsNot() {
        assertThat(rows)
                .filteredOn(row -> row.values().containsKey("kl_sum_k3"))
                .allSatisfy(row -> assertThat(row.values().get("kl_sum_k3")).isNotNegative())
                // What was sampled before the first update has no divergence; before the second it has.
                .extracting(row -> row.values().get("kl_sum_k3") > 1e-9)
                .containsExactly(false, true);
    }

    /** A name in which a source or a part of the reward stands, as the page writes it. */
    private static String withoutNamesOfTheRun(String name) {
        return name.replaceFirst("^score/.*", "score/SOURCE")
                .replaceFirst("^evaluation/reward/\\w+?(_interval)?$", "evaluation/reward/PART$1");
    }
}
