package io.rlhf4j.workers.collective.network.protocol;

import io.rlhf4j.workers.collective.GroupFailure;
import java.nio.ByteBuffer;

/** What becomes of a peer's frames. Called in the order in which the peer sent them. */
public interface FrameListener {
    /** The peer has come to its next operation and brings {@code content}. */
    void called(long sequence, String operation, byte[] content);

    /** A piece begins: where its bytes go. The buffer's remaining bytes are as many as the piece's. */
    ByteBuffer place(Piece piece);

    /** All bytes of the piece that was last asked a place for are there. */
    void arrived(Piece piece);

    /** The peer has used up that many bytes of pieces. */
    void credited(int bytes);

    /** The group has ended at the peer. */
    void failed(GroupFailure failure);

    /** The peer will not call again. */
    void left();

    /** The connection has ended: nothing more will come. {@code cause} is null where the peer closed it. */
    void ended(Throwable cause);

    /** The connection takes more, after it did not. */
    void writable();
}
