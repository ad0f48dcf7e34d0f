/** What a step, an iteration and a failure cost on machines that are not at hand: formulas, and a check of them on this one. */
package io.rlhf4j.driver.scaling;
