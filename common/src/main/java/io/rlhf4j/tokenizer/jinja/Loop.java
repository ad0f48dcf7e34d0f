package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.List;

/** The variable {@code loop}: where a for block is. */
final class Loop implements HasAttributes {
    private final List<Object> elements;
    private final int depth;
    private int index;
    private boolean skipped;
    private boolean ended;

    Loop(List<Object> elements, int depth) {
        this.elements = elements;
        this.depth = depth;
    }

    /** The next pass begins. */
    void enter(int place) {
        index = place;
        skipped = false;
    }

    /** The rest of this pass is left out; with {@code ends} all further passes too. */
    void skip(boolean ends) {
        skipped = true;
        ended = ends;
    }

    boolean skipped() {
        return skipped;
    }

    boolean ended() {
        return ended;
    }

    int depth() {
        return depth;
    }

    @Override
    public Object attribute(String name) {
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) elements.size() - index;
            case "revindex0" -> elements.size() - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == elements.size() - 1;
            case "length" -> (long) elements.size();
            case "depth" -> depth + 1L;
            case "depth0" -> (long) depth;
            case "previtem" -> index > 0 ? elements.get(index - 1) : Absent.UNDEFINED;
            case "nextitem" -> index + 1 < elements.size() ? elements.get(index + 1) : Absent.UNDEFINED;
            case "cycle" -> (Callable) (given, named) -> given.get(index % given.size());
            default -> throw new InterpretException("loop.%s is not supported in chat templates".formatted(name));
        };
    }
}
