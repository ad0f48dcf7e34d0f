/**
 * What ranks send each other once they have shaken hands: frames of a kind, a head of fixed size and a body.
 *
 * <p>Heads are big-endian. Bodies of pieces are elements in the machine's byte order: ranks that do not share one are refused
 * by the handshake.
 */
package io.rlhf4j.workers.collective.network.protocol;
