/**
 * The command line. A command reads its options, calls what does the work, and prints; failures become one message and an
 * exit code in one place, {@link io.rlhf4j.driver.command.Failures}.
 */
package io.rlhf4j.driver.command;
