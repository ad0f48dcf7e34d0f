package io.rlhf4j.tokenizer.jinja;

import java.util.List;
import java.util.Map;

/** A function, macro or bound method of a template. */
@FunctionalInterface
interface Callable {
    /** The result for arguments by position and by name. */
    Object call(List<Object> arguments, Map<String, Object> named);
}
