package io.rlhf4j.reward;

import java.util.List;
import java.util.regex.Pattern;

/** 1 where the pattern is found in the response, else 0. */
public final class PatternReward implements Reward {
    private final Pattern pattern;

    public PatternReward(Pattern pattern) {
        this.pattern = pattern;
    }

    @Override
    public List<Score> score(List<Answer> answers, Deadline deadline) {
        return answers.stream()
                .map(answer -> Score.of(pattern.matcher(answer.response()).find() ? 1 : 0))
                .toList();
    }
}
