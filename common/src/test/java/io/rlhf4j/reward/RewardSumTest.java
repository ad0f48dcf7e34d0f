package io.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.RewardCallConfig;
import io.rlhf4j.config.RewardCallConfig.Missing;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RewardSumTest {
    private static final List<Answer> TWO = List.of(Answers.of("q", "a", ""), Answers.of("q", "b", ""));

    @Test
    void termsAreWeighedAndKeptAsParts() {
        Reward length = (answers, deadline) -> List.of(Score.of(3), Score.of(1));
        Reward tone = (answers, deadline) ->
                List.of(new Score.Given(1, Map.of("warmth", 0.25)), new Score.Given(-1, Map.of()));

        try (RewardSum sum = new RewardSum(
                List.of(term("length", 0.5, length, Missing.FAIL), term("tone", 2, tone, Missing.FAIL)))) {
            List<Score> scores = sum.score(TWO);

            assertThat(scores.get(0))
                    .isEqualTo(new Score.Given(3.5, Map.of("length", 3.0, "tone", 1.0, "tone.warmth", 0.25)));
            assertThat(scores.get(1)).isEqualTo(new Score.Given(-1.5, Map.of("length", 1.0, "tone", -1.0)));
        }
    }

    @Test
    void aMissingScoreDropsTheAnswerWhereSoDeclared() {
        try (RewardSum sum = new RewardSum(List.of(term("half", 1, RewardSumTest::onlyTheFirst, Missing.DROP)))) {
            List<Score> scores = sum.score(TWO);

            assertThat(scores.get(0)).isInstanceOf(Score.Given.class);
            assertThat(scores.get(1)).isEqualTo(Score.missing("reward 'half': no opinion"));
        }
    }

    @Test
    void aMissingScoreIsTheDeclaredConstant() {
        try (RewardSum sum = new RewardSum(List.of(term("half", 2, RewardSumTest::onlyTheFirst, Missing.CONSTANT)))) {
            assertThat(sum.score(TWO).get(1)).isEqualTo(new Score.Given(-1.0, Map.of("half", -0.5)));
        }
    }

    @Test
    void aMissingScoreEndsTheJobOtherwise() {
        try (RewardSum sum = new RewardSum(List.of(term("half", 1, RewardSumTest::onlyTheFirst, Missing.FAIL)))) {
            assertThatThrownBy(() -> sum.score(TWO))
                    .isInstanceOf(Rlhf4jException.class)
                    .hasMessageContaining("reward 'half'")
                    .hasMessageContaining("row-1")
                    .extracting(thrown -> ((Rlhf4jException) thrown).kind())
                    .isEqualTo(ErrorKind.RETRYABLE);
        }
    }

    @Test
    void manyAnswersAreAskedAboutInBatches() {
        List<Integer> sizes = new ArrayList<>();
        Reward length = (answers, deadline) -> {
            sizes.add(answers.size());
            return answers.stream()
                    .map(answer -> Score.of(answer.response().length()))
                    .toList();
        };
        List<Answer> many = IntStream.range(0, 70)
                .mapToObj(i -> Answers.of("q", "a".repeat(i), ""))
                .toList();

        try (RewardSum sum = new RewardSum(List.of(term("length", 1, length, Missing.FAIL)))) {
            List<Score> scores = sum.score(many);

            assertThat(sizes).containsExactly(32, 32, 6);
            for (int i = 0; i < many.size(); i++) {
                assertThat(((Score.Given) scores.get(i)).value()).isEqualTo(i);
            }
        }
    }

    @Test
    void aFailedCallIsTriedAgain() {
        AtomicInteger calls = new AtomicInteger();
        Reward shaky = (answers, deadline) -> {
            if (calls.incrementAndGet() < 3) {
                throw new IOException("connection reset");
            }
            return List.of(Score.of(1), Score.of(2));
        };

        try (RewardSum sum = new RewardSum(List.of(term("shaky", 1, shaky, Missing.FAIL)))) {
            assertThat(sum.score(TWO)).hasSize(2).allMatch(Score.Given.class::isInstance);
            assertThat(calls).hasValue(3);
        }
    }

    @Test
    void aCallThatHangsIsGivenUp() {
        Reward hanging = (answers, deadline) -> {
            TimeUnit.MINUTES.sleep(1);
            return List.of();
        };
        RewardCallConfig call = new RewardCallConfig(Duration.ofMillis(50), 1, Missing.DROP, 0);

        try (RewardSum sum = new RewardSum(List.of(new WeightedReward("slow", 1, hanging, call, true)))) {
            assertThat(sum.score(TWO)).containsOnly(Score.missing("reward 'slow': no result within 50 ms"));
        }
    }

    @Test
    void aScoreThatIsNotANumberAndAListTooShortAreMissing() {
        Reward poisoned = (answers, deadline) -> List.of(Score.of(Double.NaN), new Score.Given(1 / 0.0, Map.of()));
        Reward shorter = (answers, deadline) -> List.of(Score.of(1));

        try (RewardSum sum = new RewardSum(List.of(term("poisoned", 1, poisoned, Missing.DROP)));
                RewardSum other = new RewardSum(List.of(term("short", 1, shorter, Missing.DROP)))) {
            assertThat(sum.score(TWO)).allMatch(Score.Missing.class::isInstance);
            assertThat(other.score(TWO)).containsOnly(Score.missing("reward 'short': 1 scores for 2 answers"));
        }
    }

    private static List<Score> onlyTheFirst(List<Answer> answers, Deadline deadline) {
        return List.of(Score.of(1), Score.missing("no opinion"));
    }

    private static WeightedReward term(String name, double weight, Reward reward, Missing missing) {
        return new WeightedReward(
                name, weight, reward, new RewardCallConfig(Duration.ofSeconds(10), 2, missing, -0.5), true);
    }
}
