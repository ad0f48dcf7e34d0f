package io.rlhf4j.driver.data;

import java.io.Serializable;

/**
 * A row as a source has it.
 *
 * @param location where it lies, for messages, and its identity within the source: {@code train.jsonl:17}
 * @param json its columns as a JSON object; not checked yet
 */
record RawRow(String location, String json) implements Serializable {}
