package io.rlhf4j.driver.supportdesk;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * How good an answer truly is, from 0 to 1, computed from what it says: half for the right fact (and no other value
 * beside it), a fifth for the customer's language, a tenth for each house rule (greeting, offer of more help, no
 * promise). An answer that states no value, or is too long, keeps no rule.
 */
public final class GroundTruth {
    private final Map<String, Question> questions = new HashMap<>();

    public GroundTruth(Catalogue catalogue) {
        for (Question question : Question.all(catalogue)) {
            questions.put(question.text(), question);
        }
    }

    /**
     * The score's parts; each 0 or 1.
     *
     * @param fact the asked fact and no other
     * @param language the customer's
     * @param greeting at the beginning
     * @param closing at the end
     * @param noPromise none made
     */
    public record Score(double fact, double language, double greeting, double closing, double noPromise) {
        /** The whole score, 0 to 1. */
        public double total() {
            return 0.5 * fact + 0.2 * language + 0.1 * (greeting + closing + noPromise);
        }
    }

    /**
     * Scores one answer.
     *
     * @param questionText a question of this catalogue
     * @throws IllegalArgumentException when it is none
     */
    public Score score(String questionText, String answer) {
        Question question = questions.get(questionText.strip());
        if (question == null) {
            throw new IllegalArgumentException("not a question of this catalogue: " + questionText);
        }
        Set<Integer> stated = question.attribute().statedIn(answer);
        boolean inForm = !stated.isEmpty() && answer.strip().length() <= HouseRules.MAX_LENGTH;
        return new Score(
                flag(stated.equals(Set.of(question.fact()))),
                flag(!answer.isBlank() && Language.of(answer) == question.language()),
                flag(inForm && HouseRules.greets(answer)),
                flag(inForm && HouseRules.closes(answer)),
                flag(inForm && !HouseRules.promises(answer)));
    }

    private static double flag(boolean condition) {
        return condition ? 1 : 0;
    }
}
