package io.rlhf4j.driver.plan;

import io.rlhf4j.config.ClusterConfig;
import io.rlhf4j.config.ComputeConfig;
import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.config.ZeroConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.hub.ModelDescription;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What step 3 will need and do, whoever scores. */
final class PpoPlan {
    private final RunConfig config;
    private final ModelDescription actor;
    private final ModelDescription reward;
    private final ModelDescription critic;

    /** Looks up the models. */
    PpoPlan(RunConfig config, ModelLookup models) throws IOException {
        PpoConfig ppo = config.ppo();
        this.config = config;
        actor = models.find(ppo.actor().orElse(config.models().actor()), "ppo.actor");
        reward = models.find(ppo.rewardModel().orElse(config.models().rewardOrActor()), "ppo.reward_model");
        critic = switch (ppo.criticInit()) {
            case PpoConfig.FROM_REWARD -> reward;
            case PpoConfig.FROM_ACTOR -> actor;
            default -> models.find(ppo.criticInit(), "ppo.critic_init");
        };
        requireOneVocabulary(actor, reward, "reward model");
        requireOneVocabulary(actor, critic, "critic");
    }

    /**
     * The plan.
     *
     * @param scoring who scores; not {@code AUTO}
     * @param remark what else the sentence says
     */
    StepPlan of(ClusterConfig.Scoring scoring, String remark) {
        PpoConfig ppo = config.ppo();
        ComputeConfig compute = config.compute();
        ZeroConfig zero = config.cluster().zero();
        boolean ranksScore = scoring == ClusterConfig.Scoring.RANKS;
        List<ModelMemory> memory = new ArrayList<>();
        memory.addAll(ModelMemory.trained("actor", actor, zero.actor(), ppo.actorOptimizer(), ppo.ema(), config));
        memory.addAll(ModelMemory.trained("critic", critic, zero.critic(), ppo.criticOptimizer(), 0, config));
        if (ppo.kl().beta() > 0) {
            memory.add(scoringModel("reference", actor, zero.reference(), ranksScore));
        }
        if (ppo.rewards().isEmpty() || ppo.rewards().stream().anyMatch(ModelReward.class::isInstance)) {
            memory.add(scoringModel("reward model", reward, zero.rewardModel(), ranksScore));
        }
        if (ranksScore) {
            memory.add(ModelMemory.published("published actor", actor, compute.generationOrDtype(), config));
        } else {
            memory.add(ModelMemory.published("published actor", actor, compute.dtype(), config));
            memory.add(ModelMemory.published("published critic", critic, compute.dtype(), config));
            if (compute.generationOrDtype() != compute.dtype()) {
                memory.add(ModelMemory.published("generation view", actor, compute.generationOrDtype(), config));
            }
        }
        return new StepPlan(
                Step.PPO,
                "PPO: %d iterations of %d prompts x %d samples, each %d x %d optimizer steps (%d in all); prompts of %s; %s"
                        .formatted(
                                ppo.iterations(),
                                ppo.prompts(),
                                ppo.samples(),
                                ppo.epochs(),
                                ppo.minibatches(),
                                ppo.plannedSteps(),
                                RunPlan.sources(config, Step.PPO),
                                remark),
                memory,
                List.of(
                        WorkingMemory.activations(actor.config(), compute, Phase.UPDATE),
                        WorkingMemory.packedWeights(
                                actor.config(),
                                compute,
                                ppo.sampling().weights(),
                                config.evaluation().sampling().weights()),
                        WorkingMemory.cache(
                                actor.config(), compute, config.data().maxPromptTokens(), ppo.sampling())));
    }

    private ModelMemory scoringModel(String name, ModelDescription model, int stage, boolean ranksScore) {
        return ranksScore
                ? ModelMemory.frozen(name, model, stage, config)
                : ModelMemory.whole(name, Phase.ALWAYS, model, config.compute().dtype());
    }

    private static void requireOneVocabulary(ModelDescription actor, ModelDescription other, String name) {
        if (actor.config().vocabSize() != other.config().vocabSize()) {
            throw Rlhf4jException.configuration(
                    "the actor (%s) has a vocabulary of %d tokens, the %s (%s) one of %d; they have to share one"
                            .formatted(
                                    actor.modelType(),
                                    actor.config().vocabSize(),
                                    name,
                                    other.modelType(),
                                    other.config().vocabSize()));
        }
    }
}
