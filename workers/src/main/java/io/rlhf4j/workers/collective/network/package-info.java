/**
 * Ranks in different JVMs: a connection between every two of them, over the Netty that Spark ships.
 *
 * <p>Nothing goes round a ring. Every rank owns a shard of what is summed: the others send it their pieces, it sums them in the
 * order of the ranks, whoever comes first, and sends the result to all. A rank sends and receives as many bytes as in a ring,
 * and a sum's bits depend on the ranks alone.
 *
 * <p>Each rank has one thread that reads, sums and writes: everything behind {@code Group} happens there, and nothing is locked.
 * Pieces of a few hundred kilobytes are under way at once in all directions; a receiver says how many it can take, so memory is
 * bounded while a slow rank is waited for.
 */
package io.rlhf4j.workers.collective.network;
