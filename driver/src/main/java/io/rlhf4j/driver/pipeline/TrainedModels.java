package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ComputeConfig;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.ZeroConfig;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.checkpoint.RankWriter;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CurrentGroup;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.engine.WeightCutting;
import io.rlhf4j.workers.engine.ZeroStage;
import io.rlhf4j.workers.training.PpoTrainer;
import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** One rank's actor and critic with their engines, kept in a slot between the iterations. */
final class TrainedModels implements AutoCloseable {
    private final CurrentGroup collectives = new CurrentGroup();
    private final Scope scope;
    private final CausalLanguageModel actor;
    private final ScoreModel critic;
    private final TrainingEngine actorEngine;
    private final TrainingEngine criticEngine;
    private final PpoTrainer trainer;
    private final RankWriter writer;

    /**
     * The models as the step begins.
     *
     * @param statesOnDisk where the optimizers' states and their copies are to lie; empty for memory
     */
    TrainedModels(
            RunConfig config,
            PpoModels models,
            Configuration hadoop,
            Scope scope,
            Optional<java.nio.file.Path> statesOnDisk,
            Collectives group)
            throws IOException {
        PpoConfig ppo = config.ppo();
        ComputeConfig compute = config.compute();
        collectives.enter(group);
        ModelDirectory directories = new ModelDirectory(hadoop);
        this.scope = scope;
        this.writer = new RankWriter(
                statesOnDisk.map(folder -> scope.childOnDisk("copies", folder)).orElse(scope));
        try {
            ZeroConfig zero = config.cluster().zero();
            EngineSettings ofActor = new EngineSettings(
                    ZeroStage.of(zero.actor()),
                    ppo.actorOptimizer(),
                    ppo.plannedSteps(),
                    compute.gradients(),
                    ppo.ema(),
                    statesOnDisk);
            WeightCutting actorWeights = new WeightCutting(ofActor.stage(), collectives, scope);
            actor = directories.loadCausal(new Path(models.actor()), scope, compute.dtype(), actorWeights);
            actor.setCheckpointing(compute.activationCheckpointing());
            actorEngine = new TrainingEngine(actor, ofActor, actorWeights);
            EngineSettings ofCritic = new EngineSettings(
                    ZeroStage.of(zero.critic()),
                    ppo.criticOptimizer(),
                    ppo.plannedSteps(),
                    compute.gradients(),
                    0,
                    statesOnDisk);
            WeightCutting criticWeights = new WeightCutting(ofCritic.stage(), collectives, scope);
            critic = directories.loadScore(
                    new Path(models.critic()), scope, compute.dtype(), config.seed(), criticWeights);
            critic.setCheckpointing(compute.activationCheckpointing());
            criticEngine = new TrainingEngine(critic, ofCritic, criticWeights);
            trainer = new PpoTrainer(
                    actor,
                    actorEngine,
                    critic,
                    criticEngine,
                    collectives,
                    ppo,
                    config.seed(),
                    compute.microBatchTokens());
        } catch (IOException | RuntimeException failed) {
            scope.close();
            throw failed;
        }
    }

    /** Works with the ranks of the job at hand from now on. */
    void join(Collectives group) {
        collectives.enter(group);
    }

    /** Writes this rank's part of checkpoints. */
    RankWriter writer() {
        return writer;
    }

    PpoTrainer trainer() {
        return trainer;
    }

    CausalLanguageModel actor() {
        return actor;
    }

    ScoreModel critic() {
        return critic;
    }

    TrainingEngine actorEngine() {
        return actorEngine;
    }

    TrainingEngine criticEngine() {
        return criticEngine;
    }

    @Override
    public void close() {
        writer.close();
        actorEngine.close();
        criticEngine.close();
        scope.close();
    }
}
