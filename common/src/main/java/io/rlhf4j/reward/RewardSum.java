package io.rlhf4j.reward;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The weighted sum of several rewards, whose terms are its parts. A missing term means what its configuration says. */
public final class RewardSum implements AutoCloseable {
    private final List<WeightedReward> terms;
    private final List<GuardedCall> calls;

    /**
     * The sum of {@code terms}.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where there is none, or two have one name
     */
    public RewardSum(List<WeightedReward> terms) {
        if (terms.isEmpty()) {
            throw Rlhf4jException.configuration("there is no reward; name one under ppo.rewards");
        }
        Set<String> names = new HashSet<>();
        for (WeightedReward term : terms) {
            if (!names.add(term.name())) {
                throw Rlhf4jException.configuration(
                        "two rewards are called '%s'; give each a name of its own".formatted(term.name()));
            }
        }
        this.terms = List.copyOf(terms);
        this.calls = this.terms.stream().map(GuardedCall::new).toList();
    }

    /**
     * Scores answers: the weighted sums, with the unweighted terms as parts. {@link Score.Missing} is an answer to leave
     * out and count.
     *
     * @throws Rlhf4jException of kind RETRYABLE where a score is missing that may not be
     */
    public List<Score> score(List<Answer> answers) {
        List<List<Score>> columns = new ArrayList<>();
        for (GuardedCall call : calls) {
            columns.add(call.score(answers));
        }
        List<Score> sums = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            sums.add(sum(answers.get(i), columns, i));
        }
        return sums;
    }

    private Score sum(Answer answer, List<List<Score>> columns, int index) {
        double sum = 0;
        Map<String, Double> parts = new LinkedHashMap<>();
        for (int t = 0; t < terms.size(); t++) {
            WeightedReward term = terms.get(t);
            Score score = columns.get(t).get(index);
            if (score instanceof Score.Given given) {
                sum += term.weight() * given.value();
                parts.put(term.name(), given.value());
                given.parts().forEach((part, value) -> parts.put(term.name() + "." + part, value));
            } else if (score instanceof Score.Missing missing) {
                switch (term.call().missing()) {
                    case DROP -> {
                        return Score.missing("reward '%s': %s".formatted(term.name(), missing.reason()));
                    }
                    case CONSTANT -> {
                        sum += term.weight() * term.call().constant();
                        parts.put(term.name(), term.call().constant());
                    }
                    case FAIL ->
                        throw new Rlhf4jException(
                                ErrorKind.RETRYABLE,
                                "reward '%s' has no score for row %s of source '%s': %s; mend it, or say what a missing"
                                                .formatted(term.name(), answer.key(), answer.source(), missing.reason())
                                        + " score means with call.missing");
                }
            }
        }
        return new Score.Given(sum, parts);
    }

    @Override
    public void close() {
        calls.forEach(GuardedCall::close);
    }
}
