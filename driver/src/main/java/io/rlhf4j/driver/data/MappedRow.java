package io.rlhf4j.driver.data;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a row means, before it is tokens. */
sealed interface MappedRow {
    /** The row's key. */
    String key();

    /** All text of the row, for finding equal rows. */
    List<String> content();

    /**
     * What is to be answered: as plain text, and as the messages that a chat template takes.
     *
     * @param text the prompt without a chat template
     * @param messages the conversation so far
     */
    record Prompt(String text, List<Map<String, Object>> messages) {
        /** A question of the user's. */
        static Prompt of(String text) {
            return new Prompt(text, List.of(message("user", text)));
        }

        static Map<String, Object> message(String role, String content) {
            // The order is fixed, because hashes are taken of messages.
            Map<String, Object> message = new LinkedHashMap<>();
            message.put("role", role);
            message.put("content", content);
            return Collections.unmodifiableMap(message);
        }
    }

    /** A prompt, with an answer to learn where there is one. */
    record Prompted(String key, Prompt prompt, Optional<String> response, String reference) implements MappedRow {
        @Override
        public List<String> content() {
            return response.map(text -> List.of(prompt.text(), text)).orElse(List.of(prompt.text()));
        }
    }

    /** Two answers to a prompt, one preferred. */
    record Preferred(String key, Prompt prompt, String chosen, String rejected, double margin, String reference)
            implements MappedRow {
        @Override
        public List<String> content() {
            return List.of(prompt.text(), chosen, rejected);
        }
    }

    /** Messages of several turns. */
    record Conversation(String key, List<Map<String, Object>> messages, String reference) implements MappedRow {
        @Override
        public List<String> content() {
            return messages.stream().map(Object::toString).toList();
        }
    }

    /** Text without a prompt. */
    record Unlabelled(String key, String text) implements MappedRow {
        @Override
        public List<String> content() {
            return List.of(text);
        }
    }
}
