package io.rlhf4j.hub;

/**
 * What one of several writers writes of a model: every so-many-th of its units, in a file of its own. There are fewer files
 * than writers where there are fewer units.
 *
 * @param index of the writer, from 0
 * @param count of writers
 */
public record ModelShare(int index, int count) {
    public ModelShare {
        if (count < 1 || index < 0 || index >= count) {
            throw new IllegalArgumentException("there is no writer %d of %d".formatted(index, count));
        }
    }
}
