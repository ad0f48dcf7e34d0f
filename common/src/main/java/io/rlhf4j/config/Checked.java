package io.rlhf4j.config;

import java.util.List;

/** A section whose keys have to fit each other; asked once, when the section has been read. */
public interface Checked {
    /** What does not fit; empty when all does. */
    List<Finding> findings();

    /**
     * Something that does not fit.
     *
     * @param key the key of this section to point at, such as {@code minibatches}
     * @param message what is wrong with its value, and what to do; it follows the key in a sentence
     */
    record Finding(String key, String message) {}
}
