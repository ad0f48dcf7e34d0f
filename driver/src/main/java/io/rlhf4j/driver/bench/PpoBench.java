package io.rlhf4j.driver.bench;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RewardCallConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.model.Passes;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.reward.RewardSum;
import io.rlhf4j.reward.ScoreModelReward;
import io.rlhf4j.reward.WeightedReward;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.Tokenizer;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.engine.ZeroStage;
import io.rlhf4j.workers.rollout.AnswerSampler;
import io.rlhf4j.workers.rollout.AnswerScoring;
import io.rlhf4j.workers.rollout.RolloutWorker;
import io.rlhf4j.workers.rollout.TimedRollouts;
import io.rlhf4j.workers.training.PpoTrainer;
import io.rlhf4j.workers.training.PpoUpdate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One iteration of PPO with four models, of one shape or with a smaller critic and reward model: answers of a fixed length,
 * the log-probabilities of actor and reference, values and scores, then one step of actor and critic on all of them. It is
 * the work of one rank, by the classes that do it in a run; what Spark adds is not in it.
 *
 * @param batch prompts, each answered once
 * @param prompt tokens of each
 * @param newTokens tokens of each answer
 * @param critic what critic and reward model are like; empty: the actor
 * @param microBatchTokens tokens that a model takes at once; empty: all
 * @param statesOnDisk a local folder for what only the optimizers need; empty for memory
 */
public record PpoBench(
        int batch,
        int prompt,
        int newTokens,
        Optional<BenchModel> critic,
        Optional<Integer> microBatchTokens,
        Optional<Path> statesOnDisk) {
    private static final int SEED = 0;
    private static final String GENERATE = "generate_s";
    private static final String SCORE = "score_s";
    private static final String TRAIN_ACTOR = "train_actor_s";
    private static final String TRAIN_CRITIC = "train_critic_s";
    private static final int[] NO_END = {};
    /** As {@code compute.micro_batch_tokens} of a run. */
    private static final int FEWEST_TOKENS = 16;

    /** @throws Rlhf4jException of kind CONFIGURATION for fewer tokens at once than a run may have */
    public PpoBench {
        if (microBatchTokens.isPresent() && microBatchTokens.get() < FEWEST_TOKENS) {
            throw Rlhf4jException.configuration("--micro-batch-tokens is %d, allowed is [%d, inf)"
                    .formatted(microBatchTokens.get(), FEWEST_TOKENS));
        }
    }

    /** Measures one shape. */
    public Measurement measure(BenchModel shape, BenchSettings settings) throws IOException {
        Collectives alone = LocalGroup.single();
        try (Scope scope = Scope.root(settings.backend(), "bench");
                Tokenizer tokenizer = shape.tokenizer()) {
            PpoConfig ppo = ppo();
            int tokens = tokensAtOnce();
            CausalLanguageModel actor = shape.make(scope, settings.type());
            CausalLanguageModel reference = actor.copy(scope, settings.type());
            ScoreModel valueModel = scoreModel(actor, scope, settings.type(), SEED);
            ScoreModel judge = scoreModel(actor, scope, settings.type(), SEED + 1);
            try (TrainingEngine actorEngine = engine(actor, ppo.actorOptimizer(), scope, settings, alone);
                    TrainingEngine criticEngine = engine(valueModel, ppo.criticOptimizer(), scope, settings, alone);
                    RewardSum reward = reward(new ScoreModelReward(judge, Passes.HERE, scope, tokens))) {
                RolloutWorker worker = new RolloutWorker(
                        new AnswerSampler(actor, tokenizer, NO_END, ppo, SEED, scope),
                        new AnswerScoring(
                                ModelPasses.here(actor),
                                Optional.of(ModelPasses.here(reference)),
                                ModelPasses.here(valueModel),
                                reward,
                                tokenizer,
                                ppo,
                                tokens,
                                scope),
                        ppo);
                PpoTrainer trainer =
                        new PpoTrainer(actor, actorEngine, valueModel, criticEngine, alone, ppo, SEED, tokens);
                List<PromptRow> prompts = prompts(actor.config().vocabSize());
                List<Map<String, Double>> phases = new ArrayList<>();
                double beta = ppo.kl().beta();
                Rounds rounds = Rounds.of(settings, () -> {
                    TimedRollouts timed = worker.run(phases.size(), prompts, phases.size(), beta);
                    PpoUpdate update = trainer.update(phases.size(), beta, timed.rollouts(), List.of());
                    phases.add(Map.of(
                            GENERATE, timed.generateSeconds(),
                            SCORE, timed.scoreSeconds(),
                            TRAIN_ACTOR, update.metrics().get("seconds_train_actor"),
                            TRAIN_CRITIC, update.metrics().get("seconds_train_critic")));
                });
                ModelWork work = new ModelWork(actor.config(), settings.type());
                ModelWork scoring = new ModelWork(valueModel.config(), settings.type());
                return measurement(shape, settings, rounds, phases.subList(settings.warmup(), phases.size()), scope)
                        .beside(limits -> leastSeconds(work, scoring, limits));
            }
        }
    }

    private int tokensAtOnce() {
        return microBatchTokens.orElse(batch * (prompt + newTokens));
    }

    private Measurement measurement(
            BenchModel shape, BenchSettings settings, Rounds rounds, List<Map<String, Double>> phases, Scope scope) {
        Map<String, Object> more = new LinkedHashMap<>();
        for (String phase : List.of(GENERATE, SCORE, TRAIN_ACTOR, TRAIN_CRITIC)) {
            List<Double> seconds =
                    phases.stream().map(round -> round.get(phase)).toList();
            more.put(phase, Measurement.rounded(Measurement.median(seconds), 3));
        }
        more.put("samples_per_s", Measurement.rounded(batch / Measurement.median(rounds.seconds()), 3));
        more.put("micro_batch_tokens", tokensAtOnce());
        more.put("peak_tensors_mb", scope.peakBytes() >> 20);
        return new Measurement(
                "ppo_step",
                shape.label() + critic.map(model -> " + " + model.label()).orElse(""),
                settings.trainingType(),
                "%dx(%d+%d)".formatted(batch, prompt, newTokens),
                (long) batch * newTokens,
                rounds.seconds(),
                settings,
                more);
    }

    /** Answers, the forward passes of four models and the training of two. */
    private double leastSeconds(ModelWork work, ModelWork scoring, MachineLimits limits) {
        int[] answers = new int[batch];
        Arrays.fill(answers, newTokens);
        int[] sequences = new int[batch];
        Arrays.fill(sequences, prompt + newTokens);
        long heads = (long) batch * newTokens;
        double scores = 2 * work.forward(heads, sequences) + 2 * scoring.forward(0, sequences);
        double training = work.training(heads, sequences) + scoring.training(0, sequences);
        return work.generationSeconds(limits, prompt, answers) + (scores + training) / limits.flopsPerSecond();
    }

    /** A model that scores, of the shape that critic and reward model have. */
    private ScoreModel scoreModel(CausalLanguageModel actor, Scope scope, DType type, long seed) throws IOException {
        if (critic.isEmpty()) {
            return ScoreModel.onBackboneOf(actor, scope, type, seed);
        }
        try (Scope temporary = scope.child("backbone")) {
            return ScoreModel.onBackboneOf(critic.get().make(temporary, type), scope, type, seed);
        }
    }

    /** Scripts that do the same with PyTorch, in all types that it has for this: with four models of one shape. */
    public List<PeerScript> peers(BenchModel shape, BenchSettings settings) {
        if (critic.isPresent()) {
            return List.of();
        }
        return (settings.type() == DType.BF16 ? List.of("autocast", "master") : List.of("fp32"))
                .stream()
                        .map(type -> common(PeerScript.of("ppo_step.py", "--dtype", type), settings)
                                .with("--model", shape.argument(), "--new", newTokens)
                                .with("--warmup", settings.warmup(), "--repeats", settings.repeats()))
                        .toList();
    }

    /**
     * The script of TRL, which knows shapes alone.
     *
     * @param python that has its packages
     * @param tokenizer folder with the tokenizer that it is given
     */
    public PeerScript trl(BenchModel shape, BenchSettings settings, String python, Path tokenizer) {
        String type = settings.type() == DType.BF16 ? "autocast" : "fp32";
        return common(PeerScript.of("ppo_trl.py", "--dtype", type), settings)
                .with("--model", shape.argument(), "--new", newTokens, "--tokenizer", tokenizer)
                .with("--warmup", settings.warmup(), "--repeats", settings.repeats())
                .runBy(python);
    }

    /**
     * The script of DeepSpeed-Chat, which has the shape opt-125m in bf16 alone and leaves the scores out of its time.
     *
     * @param python that has its packages
     * @param chat DeepSpeed-Chat itself
     * @param work folder with what its second step has made there
     */
    public PeerScript deepSpeedChat(BenchSettings settings, String python, Path chat, Path work) {
        return common(PeerScript.of("deepspeed_chat.py", "--step", 3, "--world", 1, "--zero", 0), settings)
                .with("--chat", chat, "--python", python, "--work", work, "--answer", newTokens)
                .with("--iterations", settings.warmup() + settings.repeats())
                .comparedWith(List.of(GENERATE, TRAIN_ACTOR, TRAIN_CRITIC));
    }

    private PeerScript common(PeerScript script, BenchSettings settings) {
        return script.with("--batch", batch, "--prompt", prompt, "--threads", settings.threads());
    }

    private PpoConfig ppo() {
        return ConfigFile.parse(
                PpoConfig.class,
                """
                epochs: 1
                minibatches: 1
                ema: 0
                kl: {beta: 0.1}
                sampling: {max_new_tokens: %d, batch: %d}
                actor_optimizer: {learning_rate: 1.0e-5, clip_norm: 1}
                critic_optimizer: {learning_rate: 5.0e-6, clip_norm: 1}
                """
                        .formatted(newTokens, batch));
    }

    private TrainingEngine engine(
            LayeredModel model, OptimizerConfig optimizer, Scope scope, BenchSettings settings, Collectives alone) {
        int steps = settings.warmup() + settings.repeats();
        return new TrainingEngine(
                model,
                new EngineSettings(ZeroStage.of(0), optimizer, steps, settings.type(), 0, statesOnDisk),
                alone,
                scope);
    }

    private static RewardSum reward(ScoreModelReward model) {
        RewardCallConfig call = ConfigFile.parse(RewardCallConfig.class, "{deadline: 10m}");
        return new RewardSum(List.of(new WeightedReward("model", 1, model, call, false)));
    }

    private List<PromptRow> prompts(int vocabulary) {
        RandomStream stream = RandomStream.of(1);
        List<PromptRow> prompts = new ArrayList<>();
        for (int row = 0; row < batch; row++) {
            int[] ids = TrainBench.row(stream.at(row), prompt, vocabulary);
            prompts.add(new PromptRow(String.valueOf(row), "bench", ids, "", ""));
        }
        return prompts;
    }
}
