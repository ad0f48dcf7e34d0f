package io.rlhf4j.tokenizer.jinja;

/** What the filter {@code safe} gives: a text that escapes for HTML what it is joined with, so it may only be written out. */
record Markup(String text) {}
