/** The one exception family, and the exit codes that follow from it. */
package io.rlhf4j.error;
