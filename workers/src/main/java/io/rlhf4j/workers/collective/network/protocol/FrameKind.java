package io.rlhf4j.workers.collective.network.protocol;

/** The kinds of frames. The order is part of the protocol. */
enum FrameKind {
    /** A rank has come to an operation: sequence (8), length of the operation's words (4) and of the content (4). */
    CALL(16),
    /** Elements: sequence (8), {@link Phase} (1), first element in the shard (8), bytes (4). */
    PIECE(21),
    /** The receiver has used up this many bytes of pieces (4) and can take as many more. */
    CREDIT(4),
    /** The group has ended: first rank (4), error kind (1), length of the message (4). */
    FAILURE(9),
    /** The sender will not call again. */
    LEAVE(0);

    private static final FrameKind[] ALL = values();

    private final int headBytes;

    FrameKind(int headBytes) {
        this.headBytes = headBytes;
    }

    int headBytes() {
        return headBytes;
    }

    static FrameKind of(byte code) {
        if (code < 0 || code >= ALL.length) {
            throw new ProtocolException("frame of unknown kind " + code);
        }
        return ALL[code];
    }
}
