package io.rlhf4j.workers.collective.network.protocol;

/** A peer has sent what this protocol does not know. Its connection is of no more use. */
public final class ProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ProtocolException(String message) {
        super(message);
    }
}
