package io.rlhf4j.driver.bench;

/**
 * One operation of a backend on given shapes, and what it cannot do without.
 *
 * @param name of the operation
 * @param shape that it works on
 * @param flops operations of its products; 0 where it has none
 * @param bytes that have to be read and written, each once
 * @param work runs it
 */
record Kernel(String name, String shape, double flops, double bytes, Runnable work) {}
