package io.rlhf4j.driver.plan;

import io.rlhf4j.config.ComputeConfig;
import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.config.ZeroConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.hub.ModelDescription;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;

/** What a run will need and do, step by step. */
public final class RunPlan {
    private final RunConfig config;
    private final List<StepPlan> steps;

    private RunPlan(RunConfig config, List<StepPlan> steps) {
        this.config = config;
        this.steps = List.copyOf(steps);
    }

    /**
     * The plan of the steps that a configuration names.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where a model directory is not there or does not fit
     */
    public static RunPlan of(RunConfig config, Configuration hadoop) throws IOException {
        return of(config, config.steps(), hadoop);
    }

    /**
     * The plan of some steps, whatever the configuration names.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where a model directory is not there or does not fit
     */
    public static RunPlan of(RunConfig config, Collection<Step> asked, Configuration hadoop) throws IOException {
        ModelLookup models = new ModelLookup(hadoop);
        List<StepPlan> steps = new ArrayList<>();
        for (Step step : asked) {
            steps.add(
                    switch (step) {
                        case SFT -> sft(config, models);
                        case REWARD -> reward(config, models);
                        case PPO -> ppo(config, models);
                    });
        }
        return new RunPlan(config, steps);
    }

    /** The steps, in order. */
    public List<StepPlan> steps() {
        return steps;
    }

    /** The configuration that was planned. */
    RunConfig config() {
        return config;
    }

    /** The plan for people. */
    public String text() {
        return new PlanText(this).toString();
    }

    private static StepPlan sft(RunConfig config, ModelLookup models) throws IOException {
        String start = config.sft().initial().orElse(config.models().actor());
        ModelDescription model =
                models.find(start, config.sft().initial().isPresent() ? "sft.initial" : "models.actor");
        return new StepPlan(
                Step.SFT,
                "supervised fine-tuning of %s: %s; %d rows a step; rows of %s"
                        .formatted(
                                start,
                                length(config.sft().epochs(), config.sft().maxSteps()),
                                config.sft().batchSize(),
                                sources(config, Step.SFT)),
                ModelMemory.trained(
                        "model",
                        model,
                        config.cluster().zero().sft(),
                        config.sft().optimizer(),
                        0,
                        config),
                List.of(WorkingMemory.activations(model.config(), config.compute())));
    }

    private static StepPlan reward(RunConfig config, ModelLookup models) throws IOException {
        boolean fromSft = config.reward().startsFromSft();
        String start = fromSft
                ? config.sft().initial().orElse(config.models().actor())
                : config.reward().initial().orElse(config.models().rewardOrActor());
        ModelDescription model =
                models.find(start, config.reward().initial().isPresent() ? "reward.initial" : "models.reward");
        return new StepPlan(
                Step.REWARD,
                "reward model from %s: %s; %d pairs a step; rows of %s"
                        .formatted(
                                fromSft ? "the result of sft" : start,
                                length(config.reward().epochs(), config.reward().maxSteps()),
                                config.reward().batchSize(),
                                sources(config, Step.REWARD)),
                ModelMemory.trained(
                        "reward model",
                        model,
                        config.cluster().zero().reward(),
                        config.reward().optimizer(),
                        0,
                        config),
                List.of(WorkingMemory.activations(model.config(), config.compute())));
    }

    private static StepPlan ppo(RunConfig config, ModelLookup models) throws IOException {
        PpoConfig ppo = config.ppo();
        ComputeConfig compute = config.compute();
        ModelDescription actor = models.find(ppo.actor().orElse(config.models().actor()), "ppo.actor");
        ModelDescription reward =
                models.find(ppo.rewardModel().orElse(config.models().rewardOrActor()), "ppo.reward_model");
        ModelDescription critic = critic(config, models, actor, reward);
        requireOneVocabulary(actor, reward, "reward model");
        requireOneVocabulary(actor, critic, "critic");

        List<ModelMemory> memory = new ArrayList<>();
        ZeroConfig zero = config.cluster().zero();
        memory.addAll(ModelMemory.trained("actor", actor, zero.actor(), ppo.actorOptimizer(), ppo.ema(), config));
        memory.addAll(ModelMemory.trained("critic", critic, zero.critic(), ppo.criticOptimizer(), 0, config));
        if (ppo.kl().beta() > 0) {
            memory.add(ModelMemory.frozen("reference", actor.parameters(), compute.dtype()));
        }
        if (ppo.rewards().isEmpty() || ppo.rewards().stream().anyMatch(ModelReward.class::isInstance)) {
            memory.add(ModelMemory.frozen("reward model", reward.parameters(), compute.dtype()));
        }
        memory.add(ModelMemory.frozen("published actor", actor.parameters(), compute.dtype()));
        memory.add(ModelMemory.frozen("published critic", critic.parameters(), compute.dtype()));
        if (compute.generationOrDtype() != compute.dtype()) {
            memory.add(ModelMemory.frozen("generation view", actor.parameters(), compute.generationOrDtype()));
        }
        return new StepPlan(
                Step.PPO,
                "PPO: %d iterations of %d prompts x %d samples, each %d x %d optimizer steps (%d in all); prompts of %s"
                        .formatted(
                                ppo.iterations(),
                                ppo.prompts(),
                                ppo.samples(),
                                ppo.epochs(),
                                ppo.minibatches(),
                                ppo.plannedSteps(),
                                sources(config, Step.PPO)),
                memory,
                List.of(
                        WorkingMemory.activations(actor.config(), compute),
                        WorkingMemory.packedWeights(actor.config(), compute),
                        WorkingMemory.cache(
                                actor.config(), compute, config.data().maxPromptTokens(), ppo.sampling())));
    }

    private static ModelDescription critic(
            RunConfig config, ModelLookup models, ModelDescription actor, ModelDescription reward) throws IOException {
        return switch (config.ppo().criticInit()) {
            case PpoConfig.FROM_REWARD -> reward;
            case PpoConfig.FROM_ACTOR -> actor;
            default -> models.find(config.ppo().criticInit(), "ppo.critic_init");
        };
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

    private static String length(double epochs, int maxSteps) {
        return "%s epoch(s)%s".formatted(epochs, maxSteps == 0 ? "" : ", at most %d steps".formatted(maxSteps));
    }

    private static String sources(RunConfig config, Step step) {
        String names = config.data().sources().stream()
                .filter(source -> source.steps().isEmpty() || source.steps().contains(step))
                .map(SourceConfig::label)
                .collect(Collectors.joining(", "));
        return names.isEmpty() ? "no source yet" : names;
    }
}
