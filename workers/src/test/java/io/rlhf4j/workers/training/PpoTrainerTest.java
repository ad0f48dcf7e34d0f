package io.rlhf4j.workers.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SftConfig;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.TinyPpo;
import io.rlhf4j.workers.TinyRows;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Ranks;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PpoTrainerTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"OPT, OPT_350M_STYLE, FP32", "LLAMA, SMALLER_LLAMA, FP32", "LLAMA, OPT, BF16"})
    void severalEpochsAndMinibatchesRaiseTheReward(Kind actor, Kind critic, DType type) {
        try (TinyPpo ppo = new TinyPpo(actor, critic, type, LocalGroup.single(), "epochs=3")) {
            double before = ppo.iterate(0).metrics().get("score_mean");
            Map<String, Double> after = Map.of();
            for (int iteration = 1; iteration < 25; iteration++) {
                after = ppo.iterate(iteration).metrics();
                assertThat(after.values()).allMatch(value -> Double.isFinite(value));
                assertThat(after.get("approx_kl")).isLessThan(0.5);
            }

            assertThat(before).isBetween(0.3, 0.7);
            assertThat(after.get("score_mean")).isGreaterThan(before + 0.2);
            assertThat(after.get("optimizer_steps")).isEqualTo(12);
        }
    }

    @Test
    void severalRanksMakeTheUpdatesOfOne() throws Exception {
        List<Map<String, Double>> alone = updates(1).get(0);
        List<List<Map<String, Double>>> together = updates(2);

        for (int i = 0; i < alone.size(); i++) {
            Map<String, Double> expected = withoutTimes(alone.get(i));
            assertThat(withoutTimes(together.get(1).get(i)))
                    .isEqualTo(withoutTimes(together.get(0).get(i)));
            Map<String, Double> actual = withoutTimes(together.get(0).get(i));
            assertThat(actual.keySet()).isEqualTo(expected.keySet());
            actual.forEach((name, value) -> assertThat(value)
                    .as(name)
                    .isCloseTo(expected.get(name), within(1e-3 * Math.max(1, Math.abs(expected.get(name))))));
        }
    }

    @Test
    void theOrderOfRolloutsDoesNotMatter() {
        try (TinyPpo one = ppo();
                TinyPpo other = ppo()) {
            List<Rollout> rollouts = one.rollouts(0);
            List<Rollout> mixed = new ArrayList<>(rollouts);
            Collections.shuffle(mixed, new Random(1));

            PpoUpdate first = one.update(0, rollouts, List.of());
            PpoUpdate second = other.update(0, mixed, List.of());

            assertThat(one.weights()).isEqualTo(other.weights());
            assertThat(withoutTimes(second.metrics()).get("policy_loss"))
                    .isEqualTo(withoutTimes(first.metrics()).get("policy_loss"));
        }
    }

    @Test
    void anIterationEndsEarlyOnAllRanksAndTheScheduleGoesOn() throws Exception {
        LocalGroup group = new LocalGroup(2, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, 2).mapToObj(group::member).toList();
        try (Ranks<List<Double>> ranks = new Ranks<>(members)) {
            List<List<Double>> ends = ranks.all(collectives -> {
                try (TinyPpo ppo =
                        new TinyPpo(Kind.OPT, Kind.OPT, DType.FP32, collectives, "target_kl=1.0e-6", "epochs=4")) {
                    Map<String, Double> metrics = ppo.iterate(0).metrics();
                    return List.of(
                            metrics.get("optimizer_steps"),
                            metrics.get("stopped_early"),
                            (double) ppo.actorEngine.progress().updates(),
                            (double) ppo.actorEngine.progress().position(),
                            (double) ppo.criticEngine.progress().position());
                }
            });

            // The first step finds the policy unchanged; the second one sees what the first has done.
            assertThat(ends).containsOnly(List.of(2.0, 1.0, 2.0, 16.0, 16.0));
        }
    }

    @Test
    void theAdaptivePenaltyFollowsTheDivergence() {
        String[] adaptive = {"kl.adaptive=true", "kl.target=0.5", "kl.horizon=100", "kl.beta=0.1"};
        try (TinyPpo ppo = new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, LocalGroup.single(), adaptive)) {
            double beta = 0.1;
            for (int iteration = 0; iteration < 4; iteration++) {
                PpoUpdate update = ppo.iterate(iteration);
                double error = update.metrics().get("kl_sum") / 0.5 - 1;
                beta *= 1 + Math.max(-0.2, Math.min(0.2, error)) * 32 / 100;

                assertThat(update.nextBeta()).isCloseTo(beta, within(1e-9));
            }
        }
    }

    @Test
    void unlabelledTextIsLearnedBeside() {
        String[] mixed = {"ptx.coefficient=1.0", "ptx.batch_size=16"};
        try (TinyPpo with = new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, LocalGroup.single(), mixed);
                TinyPpo without = ppo()) {
            for (int iteration = 0; iteration < 5; iteration++) {
                with.update(iteration, with.rollouts(iteration), TinyRows.texts(64, iteration));
                without.update(iteration, without.rollouts(iteration), TinyRows.texts(64, iteration));
            }

            assertThat(textLoss(with)).isLessThan(textLoss(without) - 0.3);
        }
    }

    @Test
    void aResumedRunHasTheBitsOfOneThatWasNotInterrupted() throws Exception {
        org.apache.hadoop.fs.Path actorFile =
                new org.apache.hadoop.fs.Path(folder.resolve("actor.st").toUri());
        org.apache.hadoop.fs.Path criticFile =
                new org.apache.hadoop.fs.Path(folder.resolve("critic.st").toUri());
        SafetensorsWriter writer = new SafetensorsWriter(new Configuration());
        try (TinyPpo one = ppo();
                TinyPpo other = ppo()) {
            one.iterate(0);
            writer.write(actorFile, one.actorEngine.state(), Map.of());
            writer.write(criticFile, one.criticEngine.state(), Map.of());
            other.actorEngine.restore(one.actorEngine.progress(), List.of(actorFile), new Configuration());
            other.criticEngine.restore(one.criticEngine.progress(), List.of(criticFile), new Configuration());
            for (int iteration = 1; iteration < 3; iteration++) {
                assertThat(withoutTimes(other.iterate(iteration).metrics()))
                        .isEqualTo(withoutTimes(one.iterate(iteration).metrics()));
            }

            assertThat(other.weights()).isEqualTo(one.weights());
        }
    }

    @Test
    void rolloutsOfOtherWeightsAreFoundOut() {
        try (TinyPpo ppo = ppo()) {
            List<Rollout> stale = ppo.rollouts(0);
            ppo.update(0, stale, List.of());

            assertThatThrownBy(() -> ppo.update(1, stale, List.of()))
                    .isInstanceOf(Rlhf4jException.class)
                    .hasMessageContaining("log-probabilities differ");
        }
    }

    @Test
    void allMetricsAreThere() {
        try (TinyPpo ppo = ppo()) {
            assertThat(ppo.iterate(0).metrics())
                    .containsKeys(
                            "score_mean",
                            "score_std",
                            "kl_sum",
                            "kl_token",
                            "kl_token_k3",
                            "entropy",
                            "approx_kl",
                            "clip_fraction",
                            "ratio_max",
                            "explained_variance",
                            "value_loss",
                            "policy_loss",
                            "gradient_norm_actor",
                            "gradient_norm_critic",
                            "response_length",
                            "eos_rate",
                            "truncated_rate",
                            "score/even",
                            "score/odd",
                            "beta",
                            "seconds_train_actor",
                            "seconds_train_critic",
                            "seconds_communicate");
        }
    }

    @Test
    void aStepThatIsNotFiniteIsSkippedAndTheIterationGoesOn() {
        try (TinyPpo ppo = ppo()) {
            List<Rollout> rollouts = new ArrayList<>(ppo.rollouts(0));
            Rollout poisoned = rollouts.get(5);
            float[] returns = poisoned.returns().clone();
            returns[0] = Float.NaN;
            rollouts.set(
                    5,
                    poisoned.withTraining(
                            poisoned.oldLogProbs(),
                            poisoned.referenceLogProbs(),
                            poisoned.values(),
                            poisoned.rewards(),
                            poisoned.advantages(),
                            returns));
            Map<String, Double> metrics = ppo.update(0, rollouts, List.of()).metrics();

            // The critic meets the row once in each of two epochs; the actor never looks at returns.
            assertThat(metrics.get("skipped_critic")).isEqualTo(2);
            assertThat(metrics.get("skipped_actor")).isZero();
            assertThat(metrics.values()).allMatch(value -> Double.isFinite(value));
        }
    }

    @Test
    void anIterationWithoutRolloutsSaysWhy() {
        try (TinyPpo ppo = ppo()) {
            assertThatThrownBy(() -> ppo.update(3, List.of(), List.of()))
                    .isInstanceOf(Rlhf4jException.class)
                    .hasMessageContaining("iteration 3 has no rollouts");
        }
    }

    private static double textLoss(TinyPpo ppo) {
        try (Collectives single = LocalGroup.single()) {
            return new SftTrainer(
                            ppo.actor,
                            ppo.actorEngine,
                            single,
                            ppo.scope,
                            ConfigFile.parse(SftConfig.class, "{}"),
                            4096)
                    .evaluate(TinyRows.texts(40, 555))
                    .get("loss");
        }
    }

    private static TinyPpo ppo() {
        return new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, LocalGroup.single());
    }

    private static List<List<Map<String, Double>>> updates(int worldSize) throws Exception {
        LocalGroup group = new LocalGroup(worldSize, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, worldSize).mapToObj(group::member).toList();
        try (Ranks<List<Map<String, Double>>> ranks = new Ranks<>(members)) {
            return ranks.all(collectives -> {
                try (TinyPpo ppo = new TinyPpo(Kind.OPT, Kind.OPT_350M_STYLE, DType.FP32, collectives)) {
                    List<Map<String, Double>> metrics = new ArrayList<>();
                    for (int iteration = 0; iteration < 2; iteration++) {
                        metrics.add(ppo.iterate(iteration).metrics());
                    }
                    return metrics;
                }
            });
        }
    }

    private static Map<String, Double> withoutTimes(Map<String, Double> metrics) {
        Map<String, Double> kept = new TreeMap<>(metrics);
        kept.keySet().removeIf(name -> name.startsWith("seconds_"));
        return kept;
    }
}
