package io.rlhf4j.workers.rollout;

import io.rlhf4j.advantage.GeneralizedAdvantage;
import io.rlhf4j.advantage.KlEstimator;
import io.rlhf4j.advantage.RewardShaping;
import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.batch.RowShares;
import io.rlhf4j.config.KlConfig;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.generation.GenerationRequest;
import io.rlhf4j.generation.Generator;
import io.rlhf4j.generation.StopTexts;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.reward.RewardSum;
import io.rlhf4j.reward.Score;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.Tokenizer;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Makes rollouts: answers sampled from the actor, scored, and with what the update starts from. A pure function of weights,
 * prompts and seeds: whoever computes it, wherever and however often, it comes out the same.
 */
public final class RolloutWorker {
    private final CausalLanguageModel generator;
    private final CausalLanguageModel actor;
    private final Optional<CausalLanguageModel> reference;
    private final ScoreModel critic;
    private final RewardSum reward;
    private final Tokenizer tokenizer;
    private final int[] eosIds;
    private final PpoConfig settings;
    private final long seed;
    private final int microBatchTokens;
    private final Scope scope;

    /**
     * A worker over loaded models.
     *
     * @param generator the actor in the type that generation computes in; may be {@code actor}
     * @param actor the actor in the type of training, whose log-probabilities an update starts from
     * @param reference null where there is no KL penalty
     * @param eosIds tokens that end an answer
     * @param seed of the run
     * @param microBatchTokens tokens taken through a model at once in scoring
     * @param scope for caches and activations
     */
    public RolloutWorker(
            CausalLanguageModel generator,
            CausalLanguageModel actor,
            CausalLanguageModel reference,
            ScoreModel critic,
            RewardSum reward,
            Tokenizer tokenizer,
            int[] eosIds,
            PpoConfig settings,
            long seed,
            int microBatchTokens,
            Scope scope) {
        if (settings.sampling().greedy()) {
            throw Rlhf4jException.configuration("ppo.sampling.temperature is 0: answers that are always the same"
                    + " explore nothing; set it above 0 (1 is usual)");
        }
        this.generator = generator;
        this.actor = actor;
        this.reference = Optional.ofNullable(reference);
        this.critic = critic;
        this.reward = reward;
        this.tokenizer = tokenizer;
        this.eosIds = eosIds.clone();
        this.settings = settings;
        this.seed = seed;
        this.microBatchTokens = microBatchTokens;
        this.scope = scope;
    }

    /**
     * Rollouts of some prompts, in their order, and how long they took. An answer without a score is left out.
     *
     * @param weightsVersion of the actor, for the rows
     * @param beta weight of the KL penalty
     */
    public TimedRollouts run(long iteration, List<PromptRow> prompts, long weightsVersion, double beta) {
        String what = "iteration %d, %d prompts".formatted(iteration, prompts.size());
        long begin = System.nanoTime();
        WorkPhase.GENERATE.begins(what);
        List<Rollout> sampled = generate(iteration, prompts, weightsVersion);
        long generated = System.nanoTime();
        WorkPhase.SCORE.begins(what);
        List<Rollout> rewarded = score(prompts, sampled);
        Rollout[] rollouts = new Rollout[rewarded.size()];
        List<Integer> indices = IntStream.range(0, rollouts.length).boxed().toList();
        for (List<Integer> batch :
                RowShares.microBatches(indices, index -> rewarded.get(index).tokens(), microBatchTokens)) {
            List<Rollout> done =
                    withAdvantages(batch.stream().map(rewarded::get).toList(), beta);
            for (int i = 0; i < done.size(); i++) {
                rollouts[batch.get(i)] = done.get(i);
            }
        }
        long scored = System.nanoTime();
        return new TimedRollouts(List.of(rollouts), (generated - begin) * 1e-9, (scored - generated) * 1e-9);
    }

    private List<Rollout> generate(long iteration, List<PromptRow> prompts, long weightsVersion) {
        RandomStream stream = RandomStream.of(seed).at("rollout").at(iteration);
        List<GenerationRequest> requests = prompts.stream()
                .map(prompt -> new GenerationRequest(
                        prompt.ids(),
                        IntStream.range(0, settings.samples())
                                .mapToObj(sample -> stream.at(prompt.source())
                                        .at(prompt.key())
                                        .at(sample))
                                .toList()))
                .toList();
        StopTexts stopTexts = new StopTexts(settings.sampling().stop(), () -> tokenizer.streamingDecoder(true));
        List<List<Generation>> generations =
                new Generator(generator, settings.sampling(), eosIds, stopTexts).generate(scope, requests);
        List<Rollout> rollouts = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            for (int sample = 0; sample < settings.samples(); sample++) {
                rollouts.add(unscored(prompts.get(i), sample, generations.get(i).get(sample), weightsVersion));
            }
        }
        return rollouts;
    }

    private static Rollout unscored(PromptRow prompt, int sample, Generation generation, long weightsVersion) {
        int length = generation.ids().length;
        boolean[] mask = new boolean[length];
        Arrays.fill(mask, true);
        return new Rollout(
                prompt.key(),
                prompt.source(),
                sample,
                prompt.ids(),
                generation.ids(),
                mask,
                generation.logProbs(),
                new float[length],
                new float[length],
                new float[length],
                0,
                Map.of(),
                new float[length],
                new float[length],
                new float[length],
                weightsVersion,
                switch (generation.finishReason()) {
                    case EOS -> Rollout.Finish.EOS;
                    case STOP -> Rollout.Finish.STOP;
                    case LENGTH -> Rollout.Finish.LENGTH;
                });
    }

    private List<Rollout> score(List<PromptRow> prompts, List<Rollout> sampled) {
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < sampled.size(); i++) {
            PromptRow prompt = prompts.get(i / settings.samples());
            Rollout rollout = sampled.get(i);
            answers.add(new Answer(
                    rollout.key(),
                    rollout.source(),
                    prompt.prompt(),
                    tokenizer.decode(rollout.response(), true),
                    prompt.reference(),
                    rollout.prompt(),
                    rollout.response(),
                    rollout.finish() != Rollout.Finish.LENGTH));
        }
        List<Score> scores = reward.score(answers);
        List<Rollout> rewarded = new ArrayList<>();
        for (int i = 0; i < sampled.size(); i++) {
            if (scores.get(i) instanceof Score.Given given) {
                double worth = settings.worth(given.value(), answers.get(i).ended());
                rewarded.add(sampled.get(i).withScore(worth, given.parts()));
            }
        }
        return rewarded;
    }

    /** The training forwards of actor, reference and critic, and what follows from them. */
    private List<Rollout> withAdvantages(List<Rollout> batch, double beta) {
        PackedRows packed = PackedRows.ofRollouts(batch);
        float temperature = (float) settings.sampling().temperature();
        float[] old;
        float[] referenced;
        float[] values;
        try (Scope work = scope.child("score")) {
            old = logProbs(actor, work, packed, temperature);
            referenced = reference.isPresent() ? logProbs(reference.get(), work, packed, temperature) : old;
            values = critic.scores(work, packed.batch(), packed.rows());
        }
        double penalty = settings.kl().place() == KlConfig.Place.REWARD ? beta : 0;
        RewardShaping shaping =
                new RewardShaping(KlEstimator.valueOf(settings.kl().estimator().name()), settings.scoreClip());
        GeneralizedAdvantage advantage = new GeneralizedAdvantage(settings.gamma(), settings.lambda());
        List<Rollout> rollouts = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            Rollout rollout = batch.get(i);
            int from = packed.ends()[i];
            float[] ownOld = spread(old, from, rollout.mask());
            float[] ownReference = spread(referenced, from, rollout.mask());
            float[] ownValues = spread(values, from, rollout.mask());
            double[] rewards =
                    shaping.rewards(doubles(ownOld), doubles(ownReference), rollout.mask(), rollout.score(), penalty);
            GeneralizedAdvantage.Estimate estimate = advantage.of(rewards, doubles(ownValues), rollout.mask(), 0);
            rollouts.add(rollout.withTraining(
                    ownOld,
                    ownReference,
                    ownValues,
                    floats(rewards),
                    floats(estimate.advantages()),
                    floats(estimate.returns())));
        }
        return rollouts;
    }

    private static float[] logProbs(CausalLanguageModel model, Scope work, PackedRows packed, float temperature) {
        return model.logProbs(work, packed.batch(), packed.rows(), packed.targets(), temperature, false)
                .logProbs();
    }

    /** Numbers of the trained tokens, at their places in the response. */
    private static float[] spread(float[] asked, int from, boolean... mask) {
        float[] all = new float[mask.length];
        int next = from;
        for (int t = 0; t < mask.length; t++) {
            if (mask[t]) {
                all[t] = asked[next++];
            }
        }
        return all;
    }

    private static double[] doubles(float... values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    private static float[] floats(double... values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }
}
