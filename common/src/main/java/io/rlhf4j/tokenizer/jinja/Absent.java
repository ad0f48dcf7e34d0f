package io.rlhf4j.tokenizer.jinja;

/** The two values that are nothing: Python's None, and a name that is not there. */
enum Absent {
    NONE("None"),
    UNDEFINED("");

    private final String text;

    Absent(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
