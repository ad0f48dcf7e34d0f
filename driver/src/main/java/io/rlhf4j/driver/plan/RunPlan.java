package io.rlhf4j.driver.plan;

import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.tensor.DType;
import java.io.IOException;
import java.util.ArrayList;
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
     * The plan of a run.
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind CONFIGURATION where a model directory is not there
     */
    public static RunPlan of(RunConfig config, Configuration hadoop) throws IOException {
        ModelSizes sizes = new ModelSizes(hadoop);
        List<StepPlan> steps = new ArrayList<>();
        for (Step step : config.steps()) {
            steps.add(
                    switch (step) {
                        case SFT -> sft(config, sizes);
                        case REWARD -> reward(config, sizes);
                        case PPO -> ppo(config, sizes);
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

    private static StepPlan sft(RunConfig config, ModelSizes sizes) throws IOException {
        String start = config.sft().initial().orElse(config.models().actor());
        long parameters = sizes.parameters(start, config.sft().initial().isPresent() ? "sft.initial" : "models.actor");
        return new StepPlan(
                Step.SFT,
                "supervised fine-tuning of %s: %s; %d rows a step; rows of %s"
                        .formatted(
                                start,
                                length(config.sft().epochs(), config.sft().maxSteps()),
                                config.sft().batchSize(),
                                sources(config, Step.SFT)),
                List.of(ModelMemory.trained("model", parameters, config.compute())));
    }

    private static StepPlan reward(RunConfig config, ModelSizes sizes) throws IOException {
        String start = config.reward().initial().orElse(config.models().rewardOrActor());
        long parameters = sizes.parameters(start, "models.reward");
        return new StepPlan(
                Step.REWARD,
                "reward model from %s: %s; %d pairs a step; rows of %s"
                        .formatted(
                                start,
                                length(config.reward().epochs(), config.reward().maxSteps()),
                                config.reward().batchSize(),
                                sources(config, Step.REWARD)),
                List.of(ModelMemory.trained("reward model", parameters, config.compute())));
    }

    private static StepPlan ppo(RunConfig config, ModelSizes sizes) throws IOException {
        PpoConfig ppo = config.ppo();
        DType type = config.compute().dtype();
        String reward = ppo.rewardModel().orElse(config.models().rewardOrActor());
        long actor = sizes.parameters(ppo.actor().orElse(config.models().actor()), "ppo.actor");
        long rewardModel = sizes.parameters(reward, "ppo.reward_model");
        List<ModelMemory> models = new ArrayList<>();
        models.add(ModelMemory.trained("actor", actor, config.compute()));
        models.add(ModelMemory.trained("critic", critic(config, sizes, actor, rewardModel), config.compute()));
        if (ppo.kl().beta() > 0) {
            models.add(ModelMemory.frozen("reference", actor, type));
        }
        if (ppo.rewards().isEmpty() || ppo.rewards().stream().anyMatch(ModelReward.class::isInstance)) {
            models.add(ModelMemory.frozen("reward model", rewardModel, type));
        }
        if (ppo.ema() > 0) {
            models.add(ModelMemory.frozen("moving average", actor, DType.FP32));
        }
        models.add(ModelMemory.frozen("generation view", actor, config.compute().generation()));
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
                models);
    }

    private static long critic(RunConfig config, ModelSizes sizes, long actor, long reward) throws IOException {
        return switch (config.ppo().criticInit()) {
            case PpoConfig.FROM_REWARD -> reward;
            case PpoConfig.FROM_ACTOR -> actor;
            default -> sizes.parameters(config.ppo().criticInit(), "ppo.critic_init");
        };
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
