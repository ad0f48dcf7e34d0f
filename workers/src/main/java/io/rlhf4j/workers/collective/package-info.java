/**
 * What the ranks of one training job say to each other: sums, gathers, broadcasts and barriers that every rank calls in
 * the same order. {@link io.rlhf4j.workers.collective.LocalGroup} joins ranks that are threads of one JVM; a network
 * implementation has the same contract and passes the same tests.
 */
package io.rlhf4j.workers.collective;
