package io.rlhf4j.workers.collective.network.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.rlhf4j.workers.collective.GroupFailure;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes frames. */
public final class Frames {
    /** Messages of a failure longer than this are cut. */
    private static final int MAX_FAILURE_BYTES = 32_768;

    private Frames() {}

    /** A whole call. */
    public static ByteBuf call(ByteBufAllocator allocator, long sequence, String operation, byte[] content) {
        byte[] words = operation.getBytes(StandardCharsets.UTF_8);
        Limits.requireCall(words.length, content.length);
        ByteBuf frame = head(allocator, FrameKind.CALL, words.length + content.length);
        frame.writeLong(sequence).writeInt(words.length).writeInt(content.length);
        return frame.writeBytes(words).writeBytes(content);
    }

    /** The head of a piece; its bytes follow. */
    public static ByteBuf piece(ByteBufAllocator allocator, Piece piece) {
        ByteBuf frame = head(allocator, FrameKind.PIECE, 0);
        frame.writeLong(piece.sequence()).writeByte(piece.phase().ordinal());
        return frame.writeLong(piece.from()).writeInt(piece.bytes());
    }

    /** A whole credit. */
    public static ByteBuf credit(ByteBufAllocator allocator, int bytes) {
        return head(allocator, FrameKind.CREDIT, 0).writeInt(bytes);
    }

    /** A whole failure. */
    public static ByteBuf failure(ByteBufAllocator allocator, GroupFailure failure) {
        byte[] message = failure.message().getBytes(StandardCharsets.UTF_8);
        byte[] kept = Arrays.copyOf(message, Math.min(message.length, MAX_FAILURE_BYTES));
        ByteBuf frame = head(allocator, FrameKind.FAILURE, kept.length);
        frame.writeInt(failure.firstRank()).writeByte(failure.kind().ordinal()).writeInt(kept.length);
        return frame.writeBytes(kept);
    }

    /** A whole farewell. */
    public static ByteBuf leave(ByteBufAllocator allocator) {
        return head(allocator, FrameKind.LEAVE, 0);
    }

    private static ByteBuf head(ByteBufAllocator allocator, FrameKind kind, int bodyBytes) {
        ByteBuf frame = allocator.directBuffer(1 + kind.headBytes() + bodyBytes);
        return frame.writeByte(kind.ordinal());
    }
}
