package io.rlhf4j.tokenizer.jinja;

import com.hubspot.jinjava.interpret.InterpretException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a filter is given; an argument that it does not know is refused. */
final class Parameters {
    private final String owner;
    private final List<Object> given;
    private final Map<String, Object> named;
    private final Set<String> used = new HashSet<>();
    private int listed;

    Parameters(String owner, List<Object> given, Map<String, Object> named) {
        this.owner = owner;
        this.given = given;
        this.named = named;
    }

    /** The argument of that place (from 0; -1 for none) or name, else a value of its own. */
    Object get(int index, String name, Object otherwise) {
        listed = Math.max(listed, index + 1);
        used.add(name);
        return index >= 0 && index < given.size() ? given.get(index) : named.getOrDefault(name, otherwise);
    }

    /** An argument that has to be there. */
    Object get(int index, String name) {
        Object value = get(index, name, null);
        if (value == null) {
            throw new InterpretException("%s needs the argument '%s'".formatted(owner, name));
        }
        return value;
    }

    /** All arguments from that place on, at least one; -1 for none. */
    List<Object> rest(int index) {
        if (index < 0) {
            return List.of();
        }
        listed = given.size();
        return given.subList(index, given.size());
    }

    void requireAllUsed() {
        if (given.size() > listed || !used.containsAll(named.keySet())) {
            throw new InterpretException("%s has an argument that is not supported in chat templates: %s %s"
                    .formatted(owner, Python.text(given), named.keySet()));
        }
    }
}
