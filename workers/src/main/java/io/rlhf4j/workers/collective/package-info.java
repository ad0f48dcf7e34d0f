/**
 * What the ranks of one training job say to each other: sums, gathers, broadcasts and barriers that every rank calls in
 * the same order. {@link io.rlhf4j.workers.collective.LocalGroup} joins ranks that are threads of one JVM; two other
 * implementations, over the network and from GPU to GPU, have the same contract and pass the same tests.
 */
package io.rlhf4j.workers.collective;
