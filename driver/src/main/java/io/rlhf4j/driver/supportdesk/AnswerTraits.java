package io.rlhf4j.driver.supportdesk;

import java.util.SplittableRandom;

/**
 * What is right about an answer: each trait alone can be missing.
 *
 * @param rightFact it states the asked fact, and not another value
 * @param rightLanguage it is in the customer's language
 * @param greets it begins with a greeting
 * @param closes it ends by offering more help
 * @param promisesNothing it makes no promise that the desk may not make
 */
public record AnswerTraits(
        boolean rightFact, boolean rightLanguage, boolean greets, boolean closes, boolean promisesNothing) {
    /** Draws every trait independently with its own probability. */
    static AnswerTraits draw(
            SplittableRandom random,
            double fact,
            double language,
            double greets,
            double closes,
            double promisesNothing) {
        return new AnswerTraits(
                random.nextDouble() < fact,
                random.nextDouble() < language,
                random.nextDouble() < greets,
                random.nextDouble() < closes,
                random.nextDouble() < promisesNothing);
    }

    /** The same answer with the fact right where it was wrong, and wrong where it was right. */
    AnswerTraits withOtherFact() {
        return new AnswerTraits(!rightFact, rightLanguage, greets, closes, promisesNothing);
    }
}
