package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.generation.FinishReason;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.generation.GenerationRequest;
import io.rlhf4j.generation.Generator;
import io.rlhf4j.generation.StopTexts;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Scope;
import java.util.ArrayList;
import java.util.List;

/** Answers held-out prompts: a task that samples, whoever judges the answers. */
final class EvaluationAnswers extends ModelTask<Answer> {
    private static final long serialVersionUID = 1L;

    /** Answers of one version of the published weights. */
    EvaluationAnswers(TaskSettings settings, long version) {
        super(settings, version);
    }

    @Override
    List<Answer> work(RunConfig config, List<PromptRow> prompts, SlotModels models) {
        try (Scope work = models.published().scope().child("evaluation")) {
            return sample(config, prompts, models, work);
        }
    }

    static List<Answer> sample(RunConfig config, List<PromptRow> prompts, SlotModels models, Scope work) {
        SamplingConfig sampling = config.evaluation().sampling();
        // The same stream before and after training: what differs is the model, not the luck.
        RandomStream stream = RandomStream.of(config.seed()).at("evaluation");
        List<GenerationRequest> requests = prompts.stream()
                .map(prompt -> GenerationRequest.of(
                        prompt.ids(), stream.at(prompt.source()).at(prompt.key())))
                .toList();
        AnswerTexts texts = models.texts();
        StopTexts stopTexts =
                new StopTexts(sampling.stop(), () -> texts.tokenizer().streamingDecoder(true));
        List<List<Generation>> generations = new Generator(
                        models.published().generator(), sampling, texts.endTokens(), stopTexts)
                .generate(work, requests);
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            PromptRow prompt = prompts.get(i);
            Generation generation = generations.get(i).get(0);
            answers.add(new Answer(
                    prompt.key(),
                    prompt.source(),
                    prompt.prompt(),
                    texts.tokenizer().decode(generation.ids(), true),
                    prompt.reference(),
                    prompt.ids(),
                    generation.ids(),
                    generation.finishReason() != FinishReason.LENGTH));
        }
        return answers;
    }
}
