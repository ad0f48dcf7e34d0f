package io.rlhf4j.driver.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.ClusterConfig.Scoring;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.driver.pipeline.TinyRun;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunPlanTest {
    private static final Configuration HADOOP = new Configuration(false);

    @TempDir
    private Path folder;

    @Test
    void tasksScoreUnlessSomethingAsksForLessMemory() throws IOException {
        assertThat(scoring()).isEqualTo(Scoring.TASKS);
        assertThat(ppo().sentence()).contains("answers are scored by the tasks that sample them");
        assertThat(scoring("cluster.scoring=ranks")).isEqualTo(Scoring.RANKS);
    }

    @Test
    void ranksScoreWhereAModelThatOnlyScoresIsCut() throws IOException {
        assertThat(scoring("cluster.zero.reference=3")).isEqualTo(Scoring.RANKS);
        assertThat(scoring("cluster.zero.reward_model=3")).isEqualTo(Scoring.RANKS);
        assertThat(scoring("cluster.zero.reward_model=2")).isEqualTo(Scoring.TASKS);
        assertThat(ppo("cluster.zero.reference=3").sentence())
                .contains("answers are scored by all ranks together", "models that only score are cut among them");
    }

    @Test
    void ranksScoreWhereAllModelsTogetherDoNotFit() throws IOException {
        long needed = ppo().bytes();
        assertThat(scoring("cluster.rank_memory=" + needed)).isEqualTo(Scoring.TASKS);
        assertThat(scoring("cluster.rank_memory=" + (needed - 1))).isEqualTo(Scoring.RANKS);
        StepPlan plan = ppo("cluster.rank_memory=" + (needed - 1));
        assertThat(plan.sentence()).contains("more than cluster.rank_memory");
        assertThat(plan.models()).extracting(ModelMemory::model).doesNotContain("published critic");
    }

    @Test
    void modelsThatAreCutTakeTheirPartAndTwoUnits() throws IOException {
        StepPlan whole = ppo("cluster.scoring=ranks", "cluster.ranks=4");
        StepPlan cut = ppo("cluster.zero={reference: 3, reward_model: 3}", "cluster.ranks=4");
        for (String model : new String[] {"reference", "reward model"}) {
            long all = weights(whole, model);
            // The tiny model has two blocks and a large embedding: units in use weigh much here.
            assertThat(weights(cut, model)).isBetween(all / 4, all);
        }
        assertThat(cut.modelBytes()).isLessThan(whole.modelBytes());
    }

    @Test
    void packedWeightsCountWhereTheyAreMade() throws IOException {
        String rollouts = "ppo.sampling.weights=plain";
        String evaluations = "evaluation.sampling.weights=plain";
        assertThat(ppo(rollouts).bytes()).isEqualTo(ppo().bytes());
        assertThat(ppo(evaluations).bytes()).isEqualTo(ppo().bytes());
        assertThat(ppo(rollouts, evaluations).bytes()).isLessThan(ppo().bytes());
    }

    @Test
    void weightsRoundedToEightBitsCountAByteEach() throws IOException {
        String[] int8 = {"ppo.sampling.weights=int8", "evaluation.sampling.weights=int8"};
        assertThat(4 * packedBytes(ppo(int8))).isEqualTo(packedBytes(ppo()));
        assertThat(packedBytes(ppo(int8[0]))).isEqualTo(packedBytes(ppo()));
    }

    private static long packedBytes(StepPlan plan) {
        return plan.working().stream()
                .filter(each -> each.name().equals("packed weights"))
                .findFirst()
                .orElseThrow()
                .bytes();
    }

    @Test
    void aRunWhoseModelsCannotFitIsRefused() throws IOException {
        long models = ppo("cluster.scoring=ranks").modelBytes();
        RunPlan.of(config("cluster.rank_memory=" + models), HADOOP).requireFitting();
        assertThatThrownBy(() -> RunPlan.of(config("cluster.rank_memory=" + (models - 1)), HADOOP)
                        .requireFitting())
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining("the models of ppo take")
                .hasMessageContaining("cluster.zero");
    }

    private static long weights(StepPlan plan, String model) {
        return plan.models().stream()
                .filter(each -> each.model().equals(model))
                .findFirst()
                .orElseThrow()
                .weights();
    }

    private Scoring scoring(String... overrides) throws IOException {
        return ScoringChoice.settle(config(overrides), HADOOP).cluster().scoring();
    }

    private StepPlan ppo(String... overrides) throws IOException {
        return RunPlan.of(config(overrides), HADOOP).steps().stream()
                .filter(step -> step.step() == Step.PPO)
                .findFirst()
                .orElseThrow();
    }

    private RunConfig config(String... overrides) throws IOException {
        return TinyRun.ofThreeSteps(folder, "plan", overrides);
    }
}
