package io.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.JavaReward;
import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.NetworkReward;
import io.rlhf4j.config.RewardCallConfig;
import io.rlhf4j.config.RewardConfig;
import io.rlhf4j.config.RuleReward;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class RewardsTest {
    private static final RewardCallConfig CALL =
            new RewardCallConfig(Duration.ofSeconds(10), 0, RewardCallConfig.Missing.FAIL, 0);

    private final Rewards rewards =
            new Rewards(model -> (answers, deadline) -> List.of(Score.of(0.5)), new Configuration(false));

    /** A reward of a user's. */
    public static final class Shouting implements Reward {
        private final double worth;

        public Shouting(Map<String, String> settings) {
            this.worth = Double.parseDouble(settings.get("worth"));
        }

        @Override
        public List<Score> score(List<Answer> answers, Deadline deadline) {
            return answers.stream()
                    .map(answer -> Score.of(answer.response().endsWith("!") ? worth : 0))
                    .toList();
        }
    }

    @Test
    void aModelARuleAndAJavaClassMakeOneSum() {
        List<RewardConfig> terms = List.of(
                new ModelReward("model", 1, Optional.empty(), CALL),
                new RuleReward("polite", 2, RuleReward.Rule.REGEX, Optional.of("please"), 1, CALL),
                new JavaReward("loud", -1, Shouting.class.getName(), Map.of("worth", "0.25"), CALL));

        try (RewardSum sum = rewards.sum(terms)) {
            assertThat(sum.score(List.of(Answers.of("q", "Yes please!", ""))))
                    .containsExactly(new Score.Given(2.25, Map.of("model", 0.5, "polite", 1.0, "loud", 0.25)));
        }
    }

    @Test
    void aClassThatIsNotThereIsAConfigurationError() {
        assertRefused(new JavaReward("mine", 1, "com.example.Nowhere", Map.of(), CALL), "com.example.Nowhere");
        assertRefused(new JavaReward("mine", 1, "java.lang.String", Map.of(), CALL), "does not implement");
        assertRefused(new JavaReward("mine", 1, Shouting.class.getName(), Map.of(), CALL), "cannot be made");
    }

    @Test
    void aPatternThatIsNoneIsAConfigurationError() {
        assertRefused(
                new RuleReward("r", 1, RuleReward.Rule.REGEX, Optional.of("("), 1, CALL), "no regular expression");
        assertRefused(new RuleReward("r", 1, RuleReward.Rule.REGEX, Optional.empty(), 1, CALL), "needs a pattern");
    }

    @Test
    void aNetworkFileThatIsMissingIsADataError() {
        assertThatThrownBy(() -> rewards.sum(List.of(new NetworkReward("net", 1, "/nowhere/network.zip", CALL))))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("/nowhere/network.zip")
                .extracting(thrown -> ((Rlhf4jException) thrown).kind())
                .isEqualTo(ErrorKind.DATA);
    }

    private void assertRefused(RewardConfig term, String words) {
        assertThatThrownBy(() -> rewards.sum(List.of(term)))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining(words)
                .extracting(thrown -> ((Rlhf4jException) thrown).kind())
                .isEqualTo(ErrorKind.CONFIGURATION);
    }
}
