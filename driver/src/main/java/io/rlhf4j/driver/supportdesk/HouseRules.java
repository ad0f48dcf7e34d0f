package io.rlhf4j.driver.supportdesk;

import java.util.Map;

/** The desk's set phrases, and whether an answer keeps to them. */
final class HouseRules {
    /** Characters that an answer may have. */
    static final int MAX_LENGTH = 160;

    private static final Map<Language, String> GREETING = Map.of(Language.ENGLISH, "Hello!", Language.CHINESE, "您好！");
    private static final Map<Language, String> CLOSING =
            Map.of(Language.ENGLISH, "Can I help with anything else?", Language.CHINESE, "还有什么可以帮您？");
    private static final Map<Language, String> PROMISE =
            Map.of(Language.ENGLISH, "We guarantee that it never breaks.", Language.CHINESE, "我们保证它永远不会坏。");

    private HouseRules() {}

    static String greeting(Language language) {
        return GREETING.get(language);
    }

    static String closing(Language language) {
        return CLOSING.get(language);
    }

    /** What an agent must not say. */
    static String promise(Language language) {
        return PROMISE.get(language);
    }

    static boolean greets(String answer) {
        return GREETING.values().stream().anyMatch(answer.strip()::startsWith);
    }

    static boolean closes(String answer) {
        return CLOSING.values().stream().anyMatch(answer.strip()::endsWith);
    }

    static boolean promises(String answer) {
        return answer.contains("guarantee") || answer.contains("保证");
    }
}
