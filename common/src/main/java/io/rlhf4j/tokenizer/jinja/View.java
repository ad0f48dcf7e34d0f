package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.AbstractList;
import java.util.List;

/**
 * What Python makes element by element, as {@code range}, {@code keys()} or a filter: for loops and filters, not to be
 * written out.
 */
final class View extends AbstractList<Object> {
    private final List<Object> elements;
    private final boolean once;
    private boolean used;

    private View(List<?> elements, boolean once) {
        this.elements = List.copyOf(elements);
        this.once = once;
    }

    /** A view that can be gone through again and again. */
    static View lasting(List<?> elements) {
        return new View(elements, false);
    }

    /** Python's generator: true even where it is empty, and empty when it was gone through. */
    static View once(List<?> elements) {
        return new View(elements, true);
    }

    boolean isOnce() {
        return once;
    }

    /** What a loop goes through. */
    List<Object> elements() {
        if (once && used) {
            throw new InterpretException(
                    "a filter's result is used a second time: that needs '|list' behind the filter");
        }
        used = true;
        return elements;
    }

    @Override
    public Object get(int index) {
        return elements.get(index);
    }

    @Override
    public int size() {
        return elements.size();
    }
}
