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
        SamplingConfig sampling = config.evaluation().sampling();
        // The same stream before and after training: what differs is the model, not the luck.
        RandomStream stream = RandomStream.of(config.seed()).at("evaluation");
        List<GenerationRequest> requests = prompts.stream()
                .map(prompt -> GenerationRequest.of(
                        prompt.ids(), stream.at(prompt.source()).at(prompt.key())))
                .toList();
        StopTexts stopTexts =
                new StopTexts(sampling.stop(), () -> frozen.tokenizer().streamingDecoder(true));
        try (Scope work = trained.scope().child("evaluation")) {
            List<Generation> generations = new Generator(trained.generator(), sampling, frozen.endTokens(), stopTexts)
                    .generate(work, requests).stream()
                            .map(samples -> samples.get(0))
                            .toList();
            return scored(config.ppo(), prompts, generations, frozen);
        }
    }

    private static List<EvaluatedAnswer> scored(
            PpoConfig ppo, List<PromptRow> prompts, List<Generation> generations, FrozenModels frozen) {
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
        List<Score> scores = frozen.rewards().score(answers);
        List<EvaluatedAnswer> rows = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            if (scores.get(i) instanceof Score.Given given) {
                Answer answer = answers.get(i);
                rows.add(new EvaluatedAnswer(
                        answer.source(),
                        answer.key(),
                        answer.prompt(),
                        answer.response(),
                        numbers(answer, given, ppo)));
            }
        }
        return rows;
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
