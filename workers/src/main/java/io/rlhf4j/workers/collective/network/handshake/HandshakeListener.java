package io.rlhf4j.workers.collective.network.handshake;

import io.netty.channel.Channel;

/** What becomes of a handshake. */
public interface HandshakeListener {
    /** Whether rank {@code peer} is still to come over a connection of its own. */
    boolean awaits(int peer);

    /** The other end is rank {@code peer}. Called before anything that it sends next is read. */
    void joined(int peer, Channel channel);

    /** The other end is shown out, or has refused, or is gone. */
    void failed(Channel channel, String reason);
}
