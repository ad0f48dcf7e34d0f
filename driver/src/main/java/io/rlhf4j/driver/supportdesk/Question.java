package io.rlhf4j.driver.supportdesk;

import java.util.ArrayList;
import java.util.List;

/**
 * A customer's question for one fact.
 *
 * @param product asked about
 * @param attribute asked for
 * @param language the customer writes in
 * @param text what the customer writes
 */
public record Question(Product product, Attribute attribute, Language language, String text) {
    private static final List<String> ENGLISH_OPENINGS =
            List.of("", "Hi, ", "Excuse me, ", "Good morning, ", "Hello there, ");
    private static final List<String> CHINESE_OPENINGS = List.of("", "你好，", "请问，", "早上好，", "打扰一下，");
    private static final List<String> ENGLISH_PHRASES = List.of(
            "what is the %2$s of the %1$s?",
            "could you tell me the %2$s of the %1$s?",
            "I bought the %1$s. What is its %2$s?",
            "about the %1$s: which %2$s does it have?",
            "please look up the %2$s for my %1$s.",
            "my %1$s arrived today, what is the %2$s?",
            "I need the %2$s of your %1$s.");
    private static final List<String> CHINESE_PHRASES = List.of(
            "%1$s的%2$s是多少？",
            "能告诉我%1$s的%2$s吗？",
            "我买了%1$s，它的%2$s是多少？",
            "关于%1$s：%2$s是多少？",
            "请查一下我的%1$s的%2$s。",
            "我的%1$s今天到了，%2$s是多少？",
            "我想知道%1$s的%2$s。");

    /** The right value. */
    public int fact() {
        return product.facts().get(attribute);
    }

    /** Every question that can be asked, in a fixed order. */
    public static List<Question> all(Catalogue catalogue) {
        List<Question> questions = new ArrayList<>();
        for (Product product : catalogue.products()) {
            for (Attribute attribute : Attribute.values()) {
                for (Language language : Language.values()) {
                    boolean english = language == Language.ENGLISH;
                    for (String opening : english ? ENGLISH_OPENINGS : CHINESE_OPENINGS) {
                        for (String phrase : english ? ENGLISH_PHRASES : CHINESE_PHRASES) {
                            String text = opening + phrase.formatted(product.in(language), attribute.in(language));
                            questions.add(new Question(product, attribute, language, capitalized(text)));
                        }
                    }
                }
            }
        }
        return questions;
    }

    private static String capitalized(String text) {
        return Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }
}
