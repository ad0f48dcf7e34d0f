package io.rlhf4j.reward;

import io.rlhf4j.config.JavaReward;
import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.NetworkReward;
import io.rlhf4j.config.RewardConfig;
import io.rlhf4j.config.RuleReward;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Makes rewards of what the configuration says. */
public final class Rewards {
    private final Function<ModelReward, Reward> models;
    private final Configuration configuration;

    /**
     * A maker of rewards.
     *
     * @param models gives the reward of a reward model, which needs a backend and memory
     * @param configuration of the file systems that files are read from
     */
    public Rewards(Function<ModelReward, Reward> models, Configuration configuration) {
        this.models = models;
        this.configuration = configuration;
    }

    /**
     * The weighted sum that {@code terms} describe.
     *
     * @throws Rlhf4jException of kind CONFIGURATION or DATA where one of them cannot be made
     */
    public RewardSum sum(List<RewardConfig> terms) {
        List<WeightedReward> made = new ArrayList<>();
        try {
            for (RewardConfig term : terms) {
                made.add(new WeightedReward(
                        term.name(), term.weight(), reward(term), term.call(), !(term instanceof ModelReward)));
            }
            return new RewardSum(made);
        } catch (RuntimeException unfit) {
            made.forEach(term -> term.reward().close());
            throw unfit;
        }
    }

    private Reward reward(RewardConfig term) {
        // Java 17 has no exhaustive switch over sealed types; a kind without a branch is found by the test of all
        // kinds.
        if (term instanceof ModelReward model) {
            return models.apply(model);
        }
        if (term instanceof RuleReward rule) {
            return rule(rule);
        }
        if (term instanceof JavaReward named) {
            return RewardClass.make(named.className(), named.settings());
        }
        if (term instanceof NetworkReward network) {
            return TextNetworkReward.load(new Path(network.path()), configuration);
        }
        throw new IllegalArgumentException("no reward for " + term);
    }

    private static Reward rule(RuleReward rule) {
        return switch (rule.rule()) {
            case EXACT_ANSWER -> new ExactAnswerReward(rule.pattern().map(pattern -> compile(rule, pattern)));
            case REGEX -> new PatternReward(compile(rule, required(rule, rule.pattern())));
            case LENGTH -> new LengthReward(rule.target());
        };
    }

    private static String required(RuleReward rule, Optional<String> pattern) {
        return pattern.orElseThrow(() ->
                Rlhf4jException.configuration("reward '%s': the rule regex needs a pattern".formatted(rule.name())));
    }

    private static Pattern compile(RuleReward rule, String pattern) {
        try {
            return Pattern.compile(pattern);
        } catch (PatternSyntaxException malformed) {
            throw new Rlhf4jException(
                    ErrorKind.CONFIGURATION,
                    "reward '%s': the pattern is no regular expression: %s"
                            .formatted(rule.name(), malformed.getMessage()),
                    malformed);
        }
    }
}
