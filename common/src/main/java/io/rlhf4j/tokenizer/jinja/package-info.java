/**
 * Jinja's templates as Python's jinja2 renders them, on Jinjava: Jinjava reads the blocks and keeps the scopes; expressions,
 * values, filters and the tags whose meaning differs are given here with Python's meaning. What is not given here is
 * refused by name, never rendered in Jinjava's own way.
 */
package io.rlhf4j.tokenizer.jinja;
