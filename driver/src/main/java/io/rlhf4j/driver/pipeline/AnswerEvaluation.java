package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.data.EvaluatedAnswer;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.reward.Score;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.rollout.AnswerDivergence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Measures answers to held-out prompts. A reward of several parts gives every part, those of weight 0 too: what is only
 * watched is measured beside what is learned.
 */
final class AnswerEvaluation {
    /** The score as training counts it; its parts follow it as {@code reward/<name>}. */
    static final String REWARD = "reward";

    private final RunConfig config;
    private final ModelPasses<CausalLanguageModel> actor;
    private final FrozenModels frozen;
    private final Scope scope;

    /**
     * A measurement by loaded models. Where ranks hold them together all ranks measure, each its own answers.
     *
     * @param scope for activations
     */
    AnswerEvaluation(RunConfig config, ModelPasses<CausalLanguageModel> actor, FrozenModels frozen, Scope scope) {
        this.config = config;
        this.actor = actor;
        this.frozen = frozen;
        this.scope = scope;
    }

    /** Of each answer its numbers by name, in order; none of one without a score. */
    List<Optional<EvaluatedAnswer>> of(List<Answer> answers) {
        Optional<double[]> divergence = frozen.reference().map(reference -> divergence(reference, answers));
        List<Score> scores = frozen.rewards().score(answers);
        List<Optional<EvaluatedAnswer>> evaluated = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            if (scores.get(i) instanceof Score.Given given) {
                LinkedHashMap<String, Double> numbers = numbers(answers.get(i), given, config.ppo());
                if (divergence.isPresent()) {
                    numbers.put("kl_sum", divergence.get()[i]);
                }
                evaluated.add(Optional.of(evaluated(answers.get(i), numbers)));
            } else {
                evaluated.add(Optional.empty());
            }
        }
        return evaluated;
    }

    /** Of each answer, in nats. */
    private double[] divergence(ModelPasses<CausalLanguageModel> reference, List<Answer> answers) {
        SamplingConfig sampling = config.evaluation().sampling();
        double temperature = sampling.greedy() ? 1 : sampling.temperature();
        return new AnswerDivergence(
                        actor, reference, temperature, config.compute().microBatchTokens())
                .of(
                        answers.stream().map(Answer::promptIds).toList(),
                        answers.stream().map(Answer::responseIds).toList(),
                        scope);
    }

    private static EvaluatedAnswer evaluated(Answer answer, LinkedHashMap<String, Double> numbers) {
        return new EvaluatedAnswer(answer.source(), answer.key(), answer.prompt(), answer.response(), numbers);
    }

    private static LinkedHashMap<String, Double> numbers(Answer answer, Score.Given score, PpoConfig ppo) {
        LinkedHashMap<String, Double> numbers = new LinkedHashMap<>();
        numbers.put(REWARD, ppo.worth(score.value(), answer.ended()));
        if (score.parts().size() > 1) {
            new TreeMap<>(score.parts()).forEach((part, value) -> numbers.put(REWARD + "/" + part, value));
        }
        numbers.put("response_length", (double) answer.responseIds().length);
        numbers.put("eos_rate", answer.ended() ? 1.0 : 0.0);
        return numbers;
    }
}
