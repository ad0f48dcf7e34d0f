package io.rlhf4j.reward;

import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * 1 where the answer in the response is the one in the row's reference, else 0. Answers that are numbers are compared as
 * numbers: {@code 1,000}, {@code $1000} and {@code 1000.0} are one.
 *
 * <p>With the pattern {@code #### (-?[0-9.,]+)} it is the score of GSM8K (Cobbe et al. 2021).
 */
public final class ExactAnswerReward implements Reward {
    private static final Pattern ORNAMENT = Pattern.compile("[\\s,$]|\\.$");

    private final Optional<Pattern> pattern;

    /**
     * A comparison of answers.
     *
     * @param pattern whose first group is the answer within a text (the first place that matches); empty: the whole text
     */
    public ExactAnswerReward(Optional<Pattern> pattern) {
        this.pattern = pattern;
    }

    @Override
    public List<Score> score(List<Answer> answers, Deadline deadline) {
        return answers.stream().map(this::score).toList();
    }

    private Score score(Answer answer) {
        if (answer.reference().isBlank()) {
            return Score.missing("the row has no reference to compare with; is the column 'reference' mapped?");
        }
        // A reference may be a worked solution or the bare answer.
        String right = find(answer.reference()).orElse(answer.reference());
        return Score.of(
                find(answer.response()).filter(given -> same(given, right)).isPresent() ? 1 : 0);
    }

    private Optional<String> find(String text) {
        if (pattern.isEmpty()) {
            return Optional.of(text.strip());
        }
        Matcher matcher = pattern.get().matcher(text);
        if (!matcher.find()) {
            return Optional.empty();
        }
        return Optional.ofNullable(matcher.group(Math.min(1, matcher.groupCount())));
    }

    private static boolean same(String given, String right) {
        Optional<BigDecimal> givenNumber = number(given);
        Optional<BigDecimal> rightNumber = number(right);
        if (givenNumber.isPresent() && rightNumber.isPresent()) {
            return givenNumber.get().compareTo(rightNumber.get()) == 0;
        }
        return given.strip().equals(right.strip());
    }

    private static Optional<BigDecimal> number(String text) {
        try {
            return Optional.of(new BigDecimal(ORNAMENT.matcher(text).replaceAll("")));
        } catch (NumberFormatException word) {
            return Optional.empty();
        }
    }
}
