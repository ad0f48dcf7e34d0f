package io.rlhf4j.driver.supportdesk;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Writes an agent's answer that has just the given traits. */
final class AnswerWriter {
    private AnswerWriter() {}

    static String write(Question question, AnswerTraits traits, SplittableRandom random) {
        Language language = traits.rightLanguage()
                ? question.language()
                : question.language().other();
        int value = traits.rightFact() ? question.fact() : wrongValue(question, random);
        List<String> sentences = new ArrayList<>();
        if (traits.greets()) {
            sentences.add(HouseRules.greeting(language));
        }
        sentences.add(statement(question, value, language, random.nextBoolean()));
        if (!traits.promisesNothing()) {
            sentences.add(HouseRules.promise(language));
        }
        if (traits.closes()) {
            sentences.add(HouseRules.closing(language));
        }
        return String.join(language == Language.ENGLISH ? " " : "", sentences);
    }

    private static String statement(Question question, int value, Language language, boolean direct) {
        String product = question.product().in(language);
        String attribute = question.attribute().in(language);
        String stated = question.attribute().value(value, language);
        if (language == Language.ENGLISH) {
            return (direct ? "The %2$s of the %1$s is %3$s." : "For the %1$s, the %2$s is %3$s.")
                    .formatted(product, attribute, stated);
        }
        return (direct ? "%s的%s是%s。" : "%s：%s为%s。").formatted(product, attribute, stated);
    }

    private static int wrongValue(Question question, SplittableRandom random) {
        List<Integer> wrong = question.attribute().possibleValues().stream()
                .filter(value -> value != question.fact())
                .toList();
        return wrong.get(random.nextInt(wrong.size()));
    }
}
