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
import io.rlhf4j.reward.Score;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Scope;
import java.util.ArrayList;
import java.util.List;

/**
 * Answers held-out prompts and scores the answers. A row is [score, response tokens, 1 where the answer ended by itself];
 * an answer without a score gives none.
 */
final class EvaluationTask extends ModelTask<double[]> {
    private static final long serialVersionUID = 1L;

    /** An evaluation of one version of the published weights. */
    EvaluationTask(TaskSettings settings, long version) {
        super(settings, version);
    }

    @Override
    List<double[]> work(RunConfig config, List<PromptRow> prompts, VersionedModels trained, FrozenModels frozen) {
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
            return scored(prompts, generations, frozen);
        }
    }

    private static List<double[]> scored(List<PromptRow> prompts, List<Generation> generations, FrozenModels frozen) {
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
        List<double[]> rows = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            if (scores.get(i) instanceof Score.Given given) {
                Answer answer = answers.get(i);
                rows.add(new double[] {given.value(), answer.responseIds().length, answer.ended() ? 1 : 0});
            }
        }
        return rows;
    }
}
