/** Measurements: how fast a model trains and generates on this machine, and in how much memory. */
package io.rlhf4j.driver.bench;
