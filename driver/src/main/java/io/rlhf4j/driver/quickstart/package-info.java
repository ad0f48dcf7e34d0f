/**
 * The first run: a small model from scratch learns the support desk of {@link io.rlhf4j.driver.supportdesk}, through all
 * three steps, and is judged by a ground truth that no model saw.
 */
package io.rlhf4j.driver.quickstart;
