package io.rlhf4j.driver.plan;

import io.rlhf4j.config.MemorySize;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.hub.ModelDescription;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
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
                List.of(WorkingMemory.activations(model.config(), config.compute(), Phase.ALWAYS)));
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
                List.of(WorkingMemory.activations(model.config(), config.compute(), Phase.ALWAYS)));
    }

    private static StepPlan ppo(RunConfig config, ModelLookup models) throws IOException {
        PpoPlan plan = new PpoPlan(config, models);
        ScoringChoice choice = ScoringChoice.of(config, plan);
        return plan.of(choice.scoring(), choice.sentence());
    }

    /**
     * Refuses a run whose models need more memory than a rank may have; activations, which are only estimated, do not count.
     *
     * @throws Rlhf4jException of kind CLUSTER
     */
    public void requireFitting() {
        Optional<MemorySize> allowed = config.cluster().rankMemory();
        for (StepPlan step : steps) {
            if (allowed.isPresent() && step.modelBytes() > allowed.get().bytes()) {
                throw new Rlhf4jException(
                        ErrorKind.CLUSTER,
                        ("the models of %s take %s on a rank, and cluster.rank_memory is %s; cut more of them among"
                                        + " the ranks (cluster.zero), take more ranks, compute.dtype bf16, no copy for"
                                        + " checkpoints (checkpoints.asynchronous), or allow more memory")
                                .formatted(
                                        step.step().key(),
                                        Bytes.text(step.modelBytes()),
                                        Bytes.text(allowed.get().bytes())));
            }
        }
    }

    private static String length(double epochs, int maxSteps) {
        return "%s epoch(s)%s".formatted(epochs, maxSteps == 0 ? "" : ", at most %d steps".formatted(maxSteps));
    }

    static String sources(RunConfig config, Step step) {
        String names = config.data().sources().stream()
                .filter(source -> source.steps().isEmpty() || source.steps().contains(step))
                .map(SourceConfig::label)
                .collect(Collectors.joining(", "));
        return names.isEmpty() ? "no source yet" : names;
    }
}
