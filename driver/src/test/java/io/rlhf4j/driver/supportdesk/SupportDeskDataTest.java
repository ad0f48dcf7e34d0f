package io.rlhf4j.driver.supportdesk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SupportDeskDataTest {
    private final Catalogue catalogue = Catalogue.of(7);
    private final GroundTruth truth = new GroundTruth(catalogue);

    @Test
    void theGroundTruthSeesEveryTraitOfAWrittenAnswerAndNothingElse() {
        SplittableRandom random = new SplittableRandom(1);
        for (Question question : Question.all(catalogue)) {
            AnswerTraits traits = AnswerTraits.draw(random, 0.5, 0.5, 0.5, 0.5, 0.5);
            GroundTruth.Score score = truth.score(question.text(), AnswerWriter.write(question, traits, random));
            assertThat(score)
                    .isEqualTo(new GroundTruth.Score(
                            one(traits.rightFact()),
                            one(traits.rightLanguage()),
                            one(traits.greets()),
                            one(traits.closes()),
                            one(traits.promisesNothing())));
        }
    }

    @Test
    void anAnswerThatListsSeveralValuesHasNotTheRightFact() {
        Question question = Question.all(catalogue).get(0);
        StringBuilder everything = new StringBuilder("Hello!");
        for (int value : question.attribute().possibleValues()) {
            everything.append(' ').append(question.attribute().value(value, Language.ENGLISH));
        }
        assertThat(truth.score(question.text(), everything.toString()).fact()).isZero();
    }

    @Test
    void anEmptyAnswerScoresNothing() {
        assertThat(truth.score(Question.all(catalogue).get(0).text(), "").total())
                .isZero();
    }

    @Test
    void theSameSeedWritesTheSameFilesAndHeldOutQuestionsOccurNowhereElse(@TempDir Path folder) throws IOException {
        SupportDeskData.Sizes sizes = new SupportDeskData.Sizes(500, 500, 50, 200);
        SupportDeskData.write(folder.resolve("a"), 3, sizes);
        SupportDeskData.write(folder.resolve("b"), 3, sizes);
        try (Stream<Path> files = Files.list(folder.resolve("a"))) {
            for (Path file : files.toList()) {
                assertThat(folder.resolve("b").resolve(file.getFileName())).hasSameBinaryContentAs(file);
            }
        }
        Set<String> heldOut = prompts(folder.resolve("a/heldout-prompts.jsonl"));
        assertThat(heldOut).hasSize(200);
        assertThat(heldOut).doesNotContainAnyElementsOf(prompts(folder.resolve("a/prompts.jsonl")));
        assertThat(heldOut).doesNotContainAnyElementsOf(prompts(folder.resolve("a/demonstrations.jsonl")));
        assertThat(heldOut).doesNotContainAnyElementsOf(prompts(folder.resolve("a/preferences.jsonl")));
    }

    private static Set<String> prompts(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        Set<String> prompts = new HashSet<>();
        for (String line : lines) {
            prompts.add(line.substring(line.indexOf(':') + 1, line.indexOf("\",\"")));
        }
        return prompts;
    }

    private static double one(boolean flag) {
        return flag ? 1 : 0;
    }
}
