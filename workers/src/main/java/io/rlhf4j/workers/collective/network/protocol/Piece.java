package io.rlhf4j.workers.collective.network.protocol;

/**
 * The head of a piece of a shard.
 *
 * @param sequence the number of the operation, counted by every rank from 1
 * @param from the first element, counted from the shard's beginning
 * @param bytes the length of what follows
 */
public record Piece(long sequence, Phase phase, long from, int bytes) {}
