package io.rlhf4j.driver.quickstart;

import io.rlhf4j.reward.Answer;
import io.rlhf4j.reward.Deadline;
import io.rlhf4j.reward.Reward;
import io.rlhf4j.reward.Score;
import io.rlhf4j.sampling.RandomStream;
import java.util.List;

/**
 * The quickstart's control: scores as wide as a reward model's, dealt out by a hash, so that they have nothing to do with
 * what an answer says. A policy that still improves on them improves for the wrong reason.
 */
public final class RandomScore implements Reward {
    private static final double SPREAD = 4;

    @Override
    public List<Score> score(List<Answer> answers, Deadline deadline) {
        return answers.stream()
                .map(answer -> Score.of(SPREAD
                        * (RandomStream.of(0)
                                        .at(answer.prompt())
                                        .at(answer.response())
                                        .uniform(0)
                                - 0.5)))
                .toList();
    }
}
