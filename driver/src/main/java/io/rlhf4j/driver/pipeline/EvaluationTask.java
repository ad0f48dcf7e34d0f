package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.data.EvaluatedAnswer;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.generation.FinishReason;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.generation.GenerationRequest;
import io.rlhf4j.generation.Generator;
import io.rlhf4j.generation.StopTexts;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.reward.Score;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.rollout.AnswerDivergence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;

/**
 * Answers held-out prompts and measures the answers: of each its numbers by name, of one without a score none. A reward of
 * several parts gives every part, those of weight 0 too: what is only watched is measured beside what is learned.
 */
final class EvaluationTask extends ModelTask<EvaluatedAnswer> {
    /** The score as training counts it; its parts follow it as {@code reward/<name>}. */
    static final String REWARD = "reward";

    private static final long serialVersionUID = 1L;

    /** An evaluation of one version of the published weights. */
    EvaluationTask(TaskSettings settings, long version) {
        super(settings, version);
    }

    @Override
    List<EvaluatedAnswer> work(
            RunConfig config, List<PromptRow> prompts, VersionedModels trained, FrozenModels frozen) {
        try (Scope work = trained.scope().child("evaluation")) {
            List<Generation> generations = generate(config, prompts, trained, frozen, work);
            double[] divergence = divergence(config, prompts, generations, trained, frozen, work);
            List<Answer> asked = answers(prompts, generations, frozen);
            List<Score> scores = frozen.rewards().score(asked);
            List<EvaluatedAnswer> answers = new ArrayList<>();
            for (int i = 0; i < asked.size(); i++) {
                if (scores.get(i) instanceof Score.Given given) {
                    LinkedHashMap<String, Double> numbers = numbers(asked.get(i), given, config.ppo());
                    if (divergence.length > 0) {
                        numbers.put("kl_sum", divergence[i]);
                    }
                    answers.add(evaluated(asked.get(i), numbers));
                }
            }
            return answers;
        }
    }

    private static List<Generation> generate(
            RunConfig config, List<PromptRow> prompts, VersionedModels trained, FrozenModels frozen, Scope work) {
        SamplingConfig sampling = config.evaluation().sampling();
        // The same stream before and after training: what differs is the model, not the luck.
        RandomStream stream = RandomStream.of(config.seed()).at("evaluation");
        List<GenerationRequest> requests = prompts.stream()
                .map(prompt -> GenerationRequest.of(
                        prompt.ids(), stream.at(prompt.source()).at(prompt.key())))
                .toList();
        StopTexts stopTexts =
                new StopTexts(sampling.stop(), () -> frozen.tokenizer().streamingDecoder(true));
        return new Generator(trained.generator(), sampling, frozen.endTokens(), stopTexts)
                .generate(work, requests).stream()
                        .map(samples -> samples.get(0))
                        .toList();
    }

    /** Of each answer, in nats; empty where the run has no reference. */
    private static double[] divergence(
            RunConfig config,
            List<PromptRow> prompts,
            List<Generation> generations,
            VersionedModels trained,
            FrozenModels frozen,
            Scope work) {
        if (frozen.reference() == null) {
            return new double[0];
        }
        SamplingConfig sampling = config.evaluation().sampling();
        double temperature = sampling.greedy() ? 1 : sampling.temperature();
        return new AnswerDivergence(
                        trained.actor(),
                        frozen.reference(),
                        temperature,
                        config.compute().microBatchTokens())
                .of(
                        prompts.stream().map(PromptRow::ids).toList(),
                        generations.stream().map(Generation::ids).toList(),
                        work);
    }

    private static List<Answer> answers(List<PromptRow> prompts, List<Generation> generations, FrozenModels frozen) {
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            PromptRow prompt = prompts.get(i);
            Generation generation = generations.get(i);
            answers.add(new Answer(
                    prompt.key(),
                    prompt.source(),
                    prompt.prompt(),
                    frozen.tokenizer().decode(generation.ids(), true),
                    prompt.reference(),
                    prompt.ids(),
                    generation.ids(),
                    generation.finishReason() != FinishReason.LENGTH));
        }
        return answers;
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
