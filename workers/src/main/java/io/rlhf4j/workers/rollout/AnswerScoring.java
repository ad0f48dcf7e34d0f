package io.rlhf4j.workers.rollout;

import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.batch.RowShares;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.reward.RewardSum;
import io.rlhf4j.reward.Score;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Asks all models about sampled answers: the rewards what each is worth, actor, reference and critic what an update starts
 * from. Where ranks hold a model together all of them ask, each about its own answers.
 */
public final class AnswerScoring {
    private final ModelPasses<CausalLanguageModel> actor;
    private final Optional<ModelPasses<CausalLanguageModel>> reference;
    private final ModelPasses<ScoreModel> critic;
    private final RewardSum reward;
    private final Tokenizer tokenizer;
    private final PpoConfig settings;
    private final int microBatchTokens;
    private final Scope scope;

    /**
     * A scoring by loaded models.
     *
     * @param actor in the type of training
     * @param reference empty where there is no KL penalty
     * @param microBatchTokens tokens taken through a model at once
     * @param scope for activations
     */
    public AnswerScoring(
            ModelPasses<CausalLanguageModel> actor,
            Optional<ModelPasses<CausalLanguageModel>> reference,
            ModelPasses<ScoreModel> critic,
            RewardSum reward,
            Tokenizer tokenizer,
            PpoConfig settings,
            int microBatchTokens,
            Scope scope) {
        this.actor = actor;
        this.reference = reference;
        this.critic = critic;
        this.reward = reward;
        this.tokenizer = tokenizer;
        this.settings = settings;
        this.microBatchTokens = microBatchTokens;
        this.scope = scope;
    }

    /** What is said of each answer, in order; nothing of one without a score, which is to be left out. */
    public List<Optional<Judgement>> judge(List<SampledAnswer> sampled) {
        List<Answer> answers = sampled.stream().map(this::answer).toList();
        List<Score> scores = reward.score(answers);
        List<Integer> scored = IntStream.range(0, sampled.size())
                .filter(index -> scores.get(index) instanceof Score.Given)
                .boxed()
                .toList();
        List<List<Integer>> microBatches = RowShares.microBatches(
                scored, index -> sampled.get(index).rollout().tokens(), microBatchTokens);
        float temperature = (float) settings.sampling().temperature();
        float[][] old = askEach(actor, sampled, microBatches, (model, work, packed) -> model.logProbs(
                        work, packed.batch(), packed.rows(), packed.targets(), temperature, false)
                .logProbs());
        float[][] referenced = reference.isEmpty()
                ? old
                : askEach(reference.get(), sampled, microBatches, (model, work, packed) -> model.logProbs(
                                work, packed.batch(), packed.rows(), packed.targets(), temperature, false)
                        .logProbs());
        float[][] values = askEach(
                critic,
                sampled,
                microBatches,
                (model, work, packed) -> model.scores(work, packed.batch(), packed.rows()));
        List<Optional<Judgement>> judgements = new ArrayList<>();
        for (int i = 0; i < sampled.size(); i++) {
            judgements.add(
                    scores.get(i) instanceof Score.Given given
                            ? Optional.of(new Judgement(
                                    settings.worth(given.value(), answers.get(i).ended()),
                                    given.parts(),
                                    old[i],
                                    referenced[i],
                                    values[i]))
                            : Optional.empty());
        }
        return judgements;
    }

    private Answer answer(SampledAnswer sampled) {
        PromptRow prompt = sampled.prompt();
        Rollout rollout = sampled.rollout();
        return new Answer(
                rollout.key(),
                rollout.source(),
                prompt.prompt(),
                tokenizer.decode(rollout.response(), true),
                prompt.reference(),
                rollout.prompt(),
                rollout.response(),
                rollout.finish() != Rollout.Finish.LENGTH);
    }

    /** What a model is asked: a number for each of the tokens asked for. */
    private interface Question<M> {
        float[] ask(M model, Scope work, PackedRows packed);
    }

    /** The numbers of each answer, at their places in its response. */
    private <M extends LayeredModel> float[][] askEach(
            ModelPasses<M> asked, List<SampledAnswer> sampled, List<List<Integer>> microBatches, Question<M> question) {
        float[][] numbers = new float[sampled.size()][];
        List<Runnable> passes = new ArrayList<>();
        for (List<Integer> batch : microBatches) {
            passes.add(() -> {
                List<Rollout> rollouts = batch.stream()
                        .map(index -> sampled.get(index).rollout())
                        .toList();
                PackedRows packed = PackedRows.ofRollouts(rollouts);
                float[] all;
                try (Scope work = scope.child("score")) {
                    all = question.ask(asked.model(), work, packed);
                }
                for (int i = 0; i < rollouts.size(); i++) {
                    numbers[batch.get(i)] =
                            spread(all, packed.ends()[i], rollouts.get(i).mask());
                }
            });
        }
        asked.passes().forward(passes);
        return numbers;
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
}
