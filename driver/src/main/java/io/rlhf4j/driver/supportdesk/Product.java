package io.rlhf4j.driver.supportdesk;

import java.util.Map;

/**
 * Something that the desk supports.
 *
 * @param english its English name
 * @param chinese its Chinese name
 * @param facts its value for every attribute
 */
public record Product(String english, String chinese, Map<Attribute, Integer> facts) {
    public Product {
        facts = Map.copyOf(facts);
    }

    /** The product's name in a language. */
    public String in(Language language) {
        return language == Language.ENGLISH ? english : chinese;
    }
}
