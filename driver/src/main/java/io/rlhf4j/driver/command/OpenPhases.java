package io.rlhf4j.driver.command;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** The phases that have begun and not ended: an evaluation stands within the step that it interrupts. */
final class OpenPhases {
    private final Deque<Phase> open = new ArrayDeque<>();

    /** A phase, and how far it is. */
    record Phase(String name, long done, long total) {}

    /** A phase begins, within the one that is open; one that is tried again leaves what was in it. */
    void begin(String name, long done, long total) {
        leave(name);
        open.push(new Phase(name, done, total));
    }

    /** A phase is so far, and nothing within it is open any more. */
    Phase advance(String name, long done) {
        long total = open.stream()
                .filter(phase -> phase.name().equals(name))
                .findFirst()
                .map(Phase::total)
                .orElse(done);
        begin(name, done, total);
        return open.element();
    }

    /** A phase ends; the one that it was in, if any. */
    Optional<Phase> end(String name) {
        leave(name);
        return Optional.ofNullable(open.peek());
    }

    private void leave(String name) {
        if (open.stream().anyMatch(phase -> phase.name().equals(name))) {
            // What began within the phase ends with it.
            Phase left = open.pop();
            while (!left.name().equals(name)) {
                left = open.pop();
            }
        }
    }
}
