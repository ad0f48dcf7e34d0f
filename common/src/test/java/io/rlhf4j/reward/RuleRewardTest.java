package io.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class RuleRewardTest {
    private static final Pattern GSM8K = Pattern.compile("#### *(-?\\$?[0-9.,]+)");

    @Test
    void answersOfGsm8kAreComparedAsNumbers() throws Exception {
        Reward reward = new ExactAnswerReward(Optional.of(GSM8K));
        String reference = "She has 500 + 500 = <<500+500=1000>>1000 dollars.\n#### 1,000";

        assertThat(value(reward, "So it is 1000.\n#### 1000", reference)).isEqualTo(1);
        assertThat(value(reward, "#### $1,000.00", reference)).isEqualTo(1);
        assertThat(value(reward, "#### 1,000.", reference)).isEqualTo(1);
        assertThat(value(reward, "#### 100", reference)).isEqualTo(0);
        assertThat(value(reward, "It is 1000.", reference)).isEqualTo(0);
        assertThat(value(reward, "#### 1000", "1000")).isEqualTo(1);
    }

    @Test
    void wordsAreComparedAsTheyStand() throws Exception {
        Reward reward = new ExactAnswerReward(Optional.empty());

        assertThat(value(reward, " 两年保修 ", "两年保修")).isEqualTo(1);
        assertThat(value(reward, "two years", "two Years")).isEqualTo(0);
    }

    @Test
    void aRowWithoutReferenceHasNoScoreRatherThanZero() throws Exception {
        List<Score> scores = new ExactAnswerReward(Optional.empty())
                .score(List.of(Answers.of("q", "a", "")), Deadline.in(Duration.ofSeconds(1)));

        assertThat(scores).singleElement().isInstanceOf(Score.Missing.class);
    }

    @Test
    void aPatternIsFoundOrNot() throws Exception {
        Reward reward = new PatternReward(Pattern.compile("\\bplease\\b"));

        assertThat(value(reward, "Yes, please.", "")).isEqualTo(1);
        assertThat(value(reward, "pleased", "")).isEqualTo(0);
    }

    @Test
    void lengthFallsOnBothSidesOfItsTarget() throws Exception {
        // The answers of this test have three tokens.
        assertThat(value(new LengthReward(3), "", "")).isEqualTo(1);
        assertThat(value(new LengthReward(6), "", "")).isEqualTo(0.5);
        assertThat(value(new LengthReward(2), "", "")).isEqualTo(0.5);
        assertThat(value(new LengthReward(1), "", "")).isEqualTo(0);
    }

    private static double value(Reward reward, String response, String reference)
            throws IOException, InterruptedException {
        List<Score> scores =
                reward.score(List.of(Answers.of("q", response, reference)), Deadline.in(Duration.ofSeconds(10)));
        return ((Score.Given) scores.get(0)).value();
    }
}
