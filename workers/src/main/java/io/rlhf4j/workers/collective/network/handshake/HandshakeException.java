package io.rlhf4j.workers.collective.network.handshake;

/** Why two ends of a connection do not come together, in words that both ends can read. */
final class HandshakeException extends Exception {
    private static final long serialVersionUID = 1L;

    HandshakeException(String message) {
        super(message);
    }
}
