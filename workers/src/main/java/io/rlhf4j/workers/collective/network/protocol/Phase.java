package io.rlhf4j.workers.collective.network.protocol;

/** The two ways in which elements go. The order is part of the protocol. */
public enum Phase {
    /** To the rank whose shard they belong to: what that rank sums, or keeps. */
    CONTRIBUTION,
    /** From the rank whose shard they belong to: what all others receive. */
    RESULT
}
