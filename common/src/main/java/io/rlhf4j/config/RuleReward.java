package io.rlhf4j.config;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** A rule on the text of the response. In a file: {@code kind: rule}. */
@Kind("rule")
public record RuleReward(
        @Doc(value = "Name in metrics.", preset = "rule") String name,
        @Doc(value = "Factor in the sum.", preset = "1") double weight,
        @Doc(
                        value =
                                "`exact_answer` compares with the row's reference, `regex` looks for a pattern, `length` falls"
                                        + " from 1 at `target` tokens to 0 at none and at twice as many.",
                        preset = Doc.REQUIRED)
                Rule rule,
        @Doc("Pattern of `regex`; for `exact_answer` the pattern whose first group is the answer within a text.")
                Optional<String> pattern,
        @Doc(value = "Tokens that `length` aims at.", preset = "64", range = "[1, inf)") int target,
        @Doc("Deadline, retries, missing rewards.") RewardCallConfig call)
        implements RewardConfig, Checked {
    @Override
    public List<Finding> findings() {
        if (rule == Rule.REGEX && pattern.isEmpty()) {
            return List.of(new Finding("pattern", "is missing: the regular expression that `rule: regex` looks for"));
        }
        try {
            pattern.ifPresent(Pattern::compile);
            return List.of();
        } catch (PatternSyntaxException e) {
            return List.of(new Finding("pattern", "is no regular expression: " + e.getDescription()));
        }
    }

    /** The rules. */
    public enum Rule {
        /** 1 where the answer in the response is the one in the row's reference. */
        EXACT_ANSWER,
        /** 1 where a pattern is found. */
        REGEX,
        /** Nearness of the length to a target. */
        LENGTH
    }
}
