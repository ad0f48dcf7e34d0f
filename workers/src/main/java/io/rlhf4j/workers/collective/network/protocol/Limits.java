package io.rlhf4j.workers.collective.network.protocol;

/** Lengths beyond which a frame is refused before anything is allocated for it. */
public final class Limits {
    /** Longest words of an operation. */
    static final int OPERATION_BYTES = 4096;

    /** Longest message that a rank may bring to an operation. */
    static final int CONTENT_BYTES = 256 << 20;

    /** Longest message of a failure. */
    static final int FAILURE_BYTES = 65_536;

    private Limits() {}

    static void requireCall(int operationBytes, int contentBytes) {
        if (contentBytes < 0 || contentBytes > CONTENT_BYTES) {
            throw new ProtocolException(
                    "a rank brings %d bytes to an operation; at most %d are sent as a message, tensors take more"
                            .formatted(contentBytes, CONTENT_BYTES));
        }
        require("words of an operation", operationBytes, OPERATION_BYTES);
    }

    static void require(String what, int bytes, int limit) {
        if (bytes < 0 || bytes > limit) {
            throw new ProtocolException("%s of %d bytes; the limit is %d".formatted(what, bytes, limit));
        }
    }
}
