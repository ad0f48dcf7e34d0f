package io.rlhf4j.tokenizer.jinja;

/** A template refuses what it is given, or cannot be rendered as Jinja renders it. */
public final class TemplateException extends Exception {
    private static final long serialVersionUID = 1L;

    TemplateException(String reason) {
        super(reason);
    }
}
