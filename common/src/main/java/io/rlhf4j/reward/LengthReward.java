package io.rlhf4j.reward;

import java.util.List;

/** Nearness of the response's length to a target: 1 at {@code target} tokens, 0 at none and at twice as many. */
public final class LengthReward implements Reward {
    private final int target;

    /**
     * A reward for length.
     *
     * @param target tokens; at least 1
     */
    public LengthReward(int target) {
        this.target = target;
    }

    @Override
    public List<Score> score(List<Answer> answers, Deadline deadline) {
        return answers.stream()
                .map(answer ->
                        Score.of(Math.max(0, 1 - Math.abs(answer.responseIds().length - target) / (double) target)))
                .toList();
    }
}
