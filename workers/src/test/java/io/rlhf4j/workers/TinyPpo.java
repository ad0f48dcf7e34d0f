package io.rlhf4j.workers;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RewardCallConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.reward.Reward;
import io.rlhf4j.reward.RewardSum;
import io.rlhf4j.reward.Score;
import io.rlhf4j.reward.WeightedReward;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.Tokenizer;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.engine.ZeroStage;
import io.rlhf4j.workers.rollout.AnswerSampler;
import io.rlhf4j.workers.rollout.AnswerScoring;
import io.rlhf4j.workers.rollout.RolloutWorker;
import io.rlhf4j.workers.training.PpoTrainer;
import io.rlhf4j.workers.training.PpoUpdate;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** One rank's whole PPO: an actor, its reference, a critic, and a reward for answering in the lower half of the vocabulary. */
public final class TinyPpo implements AutoCloseable {
    /** Learning rates and sizes for models of some thousand parameters. */
    public static final String PRESET =
            """
            prompts: 32
            minibatches: 4
            kl: {beta: 0.01}
            sampling: {max_new_tokens: 8}
            ema: 0.9
            actor_optimizer: {learning_rate: 3.0e-3, schedule: {kind: constant, warmup: 0}}
            critic_optimizer: {learning_rate: 1.0e-2, schedule: {kind: constant, warmup: 0}}
            """;

    private static final RewardCallConfig CALL = ConfigFile.parse(RewardCallConfig.class, "{}");
    private static final long SEED = 17;

    public final PpoConfig settings;
    public final Scope scope = Scope.root(TinyModels.backend(), "rank");
    public final CausalLanguageModel actor;
    private final CausalLanguageModel reference;
    public final ScoreModel critic;
    public final TrainingEngine actorEngine;
    public final TrainingEngine criticEngine;
    public final RolloutWorker worker;
    public final PpoTrainer trainer;
    private double beta;

    public TinyPpo(Kind actorKind, Kind criticKind, DType type, Collectives collectives, String... overrides) {
        settings = ConfigFile.parse(PpoConfig.class, PRESET, overrides);
        beta = settings.kl().beta();
        actor = TinyModels.causal(actorKind, scope, type, SEED);
        reference = actor.copy(scope, type);
        critic = TinyModels.score(criticKind, scope, type, SEED + 1);
        actorEngine = new TrainingEngine(
                actor,
                new EngineSettings(
                        ZeroStage.REPLICATED,
                        settings.actorOptimizer(),
                        settings.plannedSteps(),
                        DType.FP32,
                        settings.ema()),
                collectives,
                scope);
        criticEngine = new TrainingEngine(
                critic,
                new EngineSettings(
                        ZeroStage.REPLICATED, settings.criticOptimizer(), settings.plannedSteps(), DType.FP32, 0),
                collectives,
                scope);
        worker = worker(actor);
        trainer = new PpoTrainer(actor, actorEngine, critic, criticEngine, collectives, settings, SEED, 150);
    }

    /** A worker that samples from {@code generator}; the actor in another type, for example. */
    public RolloutWorker worker(CausalLanguageModel generator) {
        return new RolloutWorker(
                new AnswerSampler(generator, tokenizer(), new int[] {TinyModels.EOS}, settings, SEED, scope),
                new AnswerScoring(
                        ModelPasses.here(actor),
                        Optional.of(ModelPasses.here(reference)),
                        ModelPasses.here(critic),
                        new RewardSum(List.of(new WeightedReward("low", 1, lowTokens(), CALL, false))),
                        tokenizer(),
                        settings,
                        200,
                        scope),
                settings);
    }

    /** A tokenizer whose vocabulary is larger than that of the models: it only decodes here. */
    private static Tokenizer tokenizer() {
        try {
            return Tokenizer.load(new Path("../common/src/test/resources/golden/models/llama"), new Configuration());
        } catch (IOException missing) {
            throw new AssertionError(missing);
        }
    }

    private static Reward lowTokens() {
        return (answers, deadline) -> answers.stream()
                .map(answer -> Score.of(Arrays.stream(answer.responseIds())
                                .filter(id -> id < 32)
                                .count()
                        / (double) answer.responseIds().length))
                .toList();
    }

    /** The prompts of an iteration. */
    public List<PromptRow> prompts(long iteration) {
        return TinyRows.prompts(settings.prompts(), 1000 + iteration);
    }

    /** Answers to the prompts of an iteration. */
    public List<Rollout> rollouts(long iteration) {
        return worker.run(iteration, prompts(iteration), iteration, beta).rollouts();
    }

    /** One iteration: rollouts, then the update. */
    public PpoUpdate iterate(long iteration) {
        return update(iteration, rollouts(iteration), List.of());
    }

    /** The update of an iteration. */
    public PpoUpdate update(long iteration, List<Rollout> rollouts, List<TrainingRow> texts) {
        PpoUpdate update = trainer.update(iteration, beta, rollouts, texts);
        beta = update.nextBeta();
        return update;
    }

    /** All weights of the actor, end to end. */
    public float[] weights() {
        return actor.units().stream().map(unit -> unit.values().toFloats()).reduce(new float[0], (all, part) -> {
            float[] joined = Arrays.copyOf(all, all.length + part.length);
            System.arraycopy(part, 0, joined, all.length, part.length);
            return joined;
        });
    }

    @Override
    public void close() {
        actorEngine.close();
        criticEngine.close();
        scope.close();
    }
}
