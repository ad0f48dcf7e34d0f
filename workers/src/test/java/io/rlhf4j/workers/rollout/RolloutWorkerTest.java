package io.rlhf4j.workers.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.TinyPpo;
import io.rlhf4j.workers.collective.LocalGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RolloutWorkerTest {
    @ParameterizedTest
    @CsvSource({"OPT, OPT_350M_STYLE", "LLAMA, SMALLER_LLAMA"})
    void generationAndTrainingSeeTheSameLogProbsAndTheReferenceIsWhereTheActorBegan(Kind actor, Kind critic) {
        try (TinyPpo ppo = new TinyPpo(actor, critic, DType.FP32, LocalGroup.single())) {
            for (Rollout rollout : ppo.rollouts(0)) {
                assertThat(rollout.oldLogProbs()).containsExactly(rollout.rolloutLogProbs(), within(1e-5f));
                assertThat(rollout.referenceLogProbs()).containsExactly(rollout.oldLogProbs(), within(1e-5f));
            }
        }
    }

    @Test
    void theSameWeightsPromptsAndSeedsGiveTheSameRollouts() {
        try (TinyPpo ppo = new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, LocalGroup.single(), "samples=2")) {
            List<Rollout> once = ppo.rollouts(3);
            List<Rollout> again = ppo.rollouts(3);

            assertThat(again).hasSize(64).usingRecursiveComparison().isEqualTo(once);
            assertThat(ppo.rollouts(4)).usingRecursiveComparison().isNotEqualTo(once);
        }
    }

    @Test
    void anAnswerDoesNotDependOnThePromptsBesideIt() {
        try (TinyPpo ppo = new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, LocalGroup.single())) {
            List<PromptRow> prompts = ppo.prompts(0);
            List<Rollout> together = ppo.rollouts(0);
            List<Rollout> apart = new ArrayList<>(
                    ppo.worker.run(0, prompts.subList(20, 32), 0, 0.01).rollouts());
            apart.addAll(0, ppo.worker.run(0, prompts.subList(0, 20), 0, 0.01).rollouts());

            for (int i = 0; i < together.size(); i++) {
                assertThat(apart.get(i).response()).isEqualTo(together.get(i).response());
                assertThat(apart.get(i).advantages())
                        .containsExactly(together.get(i).advantages(), within(1e-4f));
            }
        }
    }

    @Test
    void whatIsGeneratedInBf16IsTrainedOnWithTheLogProbsOfTheTrainingType() {
        try (TinyPpo ppo = new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, LocalGroup.single())) {
            CausalLanguageModel narrow = ppo.actor.copy(ppo.scope, DType.BF16);
            List<Rollout> rollouts =
                    ppo.worker(narrow).run(0, ppo.prompts(0), 0, 0.01).rollouts();

            double largest = 0;
            for (Rollout rollout : rollouts) {
                // The reference is the actor's fp32 copy: the same log-probs mean that training's forward was in fp32.
                assertThat(rollout.oldLogProbs()).containsExactly(rollout.referenceLogProbs(), within(1e-5f));
                for (int t = 0; t < rollout.response().length; t++) {
                    largest = Math.max(largest, Math.abs(rollout.oldLogProbs()[t] - rollout.rolloutLogProbs()[t]));
                }
            }
            assertThat(largest).isBetween(1e-4, 0.1);
        }
    }

    /** The rounding is for sampling alone; an update may start from its log-probabilities, as from those of bf16. */
    @Test
    void whatIsGeneratedWithRoundedWeightsIsTrainedOnWithTheWeightsAsTheyAre() {
        try (TinyPpo ppo = new TinyPpo(
                Kind.LLAMA,
                Kind.OPT,
                DType.FP32,
                LocalGroup.single(),
                "sampling.weights=int8",
                "rollout_log_probs=true",
                "epochs=1",
                "minibatches=1",
                "whiten=false")) {
            List<Rollout> rollouts = ppo.rollouts(0);

            double largest = 0;
            double loss = 0;
            int tokens = 0;
            for (Rollout rollout : rollouts) {
                assertThat(rollout.oldLogProbs()).containsExactly(rollout.referenceLogProbs(), within(1e-5f));
                for (int t = 0; t < rollout.response().length; t++) {
                    double difference = rollout.oldLogProbs()[t] - rollout.rolloutLogProbs()[t];
                    largest = Math.max(largest, Math.abs(difference));
                    // Nothing is learned yet: the ratio of the loss is that of training to sampling.
                    double ratio = Math.exp(difference);
                    double clipped = Math.max(1 - ppo.settings.clip(), Math.min(1 + ppo.settings.clip(), ratio));
                    double advantage = rollout.advantages()[t];
                    loss += Math.max(-advantage * ratio, -advantage * clipped);
                    tokens++;
                }
            }
            assertThat(largest).isBetween(1e-4, 0.5);
            Map<String, Double> metrics = ppo.update(0, rollouts, List.of()).metrics();
            assertThat(metrics.get("policy_loss")).isCloseTo(loss / tokens, within(1e-5));
            assertThat(metrics.get("rollout_logprob_difference_max")).isCloseTo(largest, within(1e-5));
        }
    }

    @Test
    void theScoreArrivesAtTheLastTokenAndTheAnswerKeepsItsEndToken() {
        try (TinyPpo ppo = new TinyPpo(
                Kind.LLAMA, Kind.OPT, DType.FP32, LocalGroup.single(), "kl.beta=0", "missing_eos_score=-2")) {
            List<Rollout> rollouts = ppo.rollouts(0);

            assertThat(rollouts).extracting(Rollout::finish).contains(Rollout.Finish.LENGTH);
            for (Rollout rollout : rollouts) {
                int last = rollout.response().length - 1;
                assertThat(rollout.rewards()[last]).isCloseTo((float) rollout.score(), within(1e-6f));
                if (rollout.finish() == Rollout.Finish.LENGTH) {
                    assertThat(rollout.score()).isEqualTo(-2);
                    assertThat(rollout.response()).hasSize(8).doesNotContain(TinyModels.EOS);
                } else {
                    assertThat(rollout.response()[last]).isEqualTo(TinyModels.EOS);
                }
                assertThat(rollout.parts()).containsKey("low");
            }
        }
    }
}
