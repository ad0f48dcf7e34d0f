package io.rlhf4j.driver.quickstart;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.driver.chat.ChatModel;
import io.rlhf4j.driver.supportdesk.Catalogue;
import io.rlhf4j.driver.supportdesk.GroundTruth;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.sampling.RandomStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Questions that occur in no training file: models are asked all of them, each with the same random numbers. */
final class HeldOutQuestions {
    private final List<String> questions = new ArrayList<>();
    private final GroundTruth truth;
    private final SamplingConfig sampling;
    private final RandomStream stream;

    HeldOutQuestions(Path data, long seed, SamplingConfig sampling) throws IOException {
        ObjectMapper json = new ObjectMapper();
        for (String line : Files.readAllLines(data.resolve("heldout-prompts.jsonl"))) {
            questions.add(json.readTree(line).get("prompt").asText());
        }
        this.truth = new GroundTruth(Catalogue.of(seed));
        this.sampling = sampling;
        this.stream = RandomStream.of(seed).at("held-out");
    }

    List<String> questions() {
        return questions;
    }

    /** A model's answers, and their quality. */
    record Answered(List<String> answers, AnswerQuality quality) {}

    Answered ask(ChatModel model) {
        List<int[]> prompts = questions.stream()
                .map(question -> model.promptIds(List.of(Map.of("role", "user", "content", question))))
                .toList();
        List<Generation> generations = model.answer(prompts, sampling, stream);
        List<String> answers = generations.stream().map(model::text).toList();
        List<GroundTruth.Score> scores = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            scores.add(truth.score(questions.get(i), answers.get(i)));
        }
        List<Integer> lengths =
                generations.stream().map(generation -> generation.ids().length).toList();
        return new Answered(answers, AnswerQuality.of(scores, answers, lengths));
    }
}
