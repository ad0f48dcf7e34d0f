package io.rlhf4j.tokenizer.jinja;

/** An object of the engine itself, such as {@code loop} or a namespace. */
interface HasAttributes {
    /** The attribute's value; {@link Absent#UNDEFINED} where there is none. */
    Object attribute(String name);
}
