package io.rlhf4j.driver.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What was said so far, as chat templates want it. */
public final class Conversation {
    private final Optional<String> system;
    private final List<Map<String, String>> messages = new ArrayList<>();

    /** A conversation that begins with a system message, or without one. */
    public Conversation(Optional<String> system) {
        this.system = system;
        clear();
    }

    /** Forgets everything but the system message. */
    public void clear() {
        messages.clear();
        system.ifPresent(text -> add("system", text));
    }

    /** The user says something. */
    public void user(String text) {
        add("user", text);
    }

    /** The model answered. */
    public void assistant(String text) {
        add("assistant", text);
    }

    /** What was said last was not said. */
    public void takeBack() {
        messages.remove(messages.size() - 1);
    }

    /** All messages, each with "role" and "content". */
    public List<Map<String, String>> messages() {
        return List.copyOf(messages);
    }

    private void add(String role, String content) {
        messages.add(Map.of("role", role, "content", content));
    }
}
