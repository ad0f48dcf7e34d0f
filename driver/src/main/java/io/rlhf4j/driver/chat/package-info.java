/** Answers from a model directory: one prompt, many prompts, or a conversation. */
package io.rlhf4j.driver.chat;
