package io.rlhf4j.workers.collective.network.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.workers.collective.GroupFailure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Reads frames as their bytes come. The bytes of a piece go straight to the place that the listener names, without waiting
 * for the rest.
 */
public final class FrameReader extends ChannelInboundHandlerAdapter {
    private static final ErrorKind[] ERROR_KINDS = ErrorKind.values();
    private static final Phase[] PHASES = Phase.values();

    private final FrameListener listener;
    private final int maxPieceBytes;
    private final ByteBuffer head = ByteBuffer.allocate(32);
    private FrameKind kind;
    private Piece piece;
    private ByteBuffer body;
    private ByteBuf lent;
    private boolean stopped;

    /** @param maxPieceBytes pieces that say they are longer are refused */
    public FrameReader(FrameListener listener, int maxPieceBytes) {
        this.listener = listener;
        this.maxPieceBytes = maxPieceBytes;
    }

    /** Lets go of the place of a piece under way and reads nothing from here on. */
    public void stop() {
        stopped = true;
        body = null;
    }

    /** Where the next bytes belong; null where fewer than {@code least} of them are known to belong together. */
    ByteBuf placeOf(int least) {
        lent = stopped || body == null || body.remaining() < least
                ? null
                : Unpooled.wrappedBuffer(body).clear();
        return lent;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            if (in == lent && !stopped) {
                // They lie where they belong.
                body.position(body.position() + in.readableBytes());
                in.skipBytes(in.readableBytes());
            }
            while (!stopped && step(in)) {
                // A frame's head, or as much of its body as is there, has been read.
            }
        } finally {
            in.release();
        }
    }

    /** Reads what comes next; false where more bytes have to come first. */
    private boolean step(ByteBuf in) {
        if (body == null) {
            return readHead(in);
        }
        read(in, body);
        if (body.hasRemaining()) {
            return false;
        }
        FrameKind complete = kind;
        ByteBuffer bytes = body;
        kind = null;
        body = null;
        deliver(complete, bytes);
        return true;
    }

    private boolean readHead(ByteBuf in) {
        if (kind == null) {
            if (!in.isReadable()) {
                return false;
            }
            kind = FrameKind.of(in.readByte());
            head.clear().limit(kind.headBytes());
        }
        read(in, head);
        if (head.hasRemaining()) {
            return false;
        }
        head.flip();
        body = switch (kind) {
            case CALL -> callBody();
            case PIECE -> pieceBody();
            case FAILURE -> failureBody();
            case CREDIT, LEAVE -> ByteBuffer.allocate(0);
        };
        return true;
    }

    private ByteBuffer callBody() {
        int operationBytes = head.getInt(8);
        int contentBytes = head.getInt(12);
        Limits.requireCall(operationBytes, contentBytes);
        return ByteBuffer.allocate(operationBytes + contentBytes);
    }

    private ByteBuffer pieceBody() {
        int phase = head.get(8);
        if (phase < 0 || phase >= PHASES.length) {
            throw new ProtocolException("piece of unknown phase " + phase);
        }
        piece = new Piece(head.getLong(0), PHASES[phase], head.getLong(9), head.getInt(17));
        Limits.require("a piece", piece.bytes(), maxPieceBytes);
        return listener.place(piece);
    }

    private ByteBuffer failureBody() {
        int bytes = head.getInt(5);
        Limits.require("a failure's message", bytes, Limits.FAILURE_BYTES);
        return ByteBuffer.allocate(bytes);
    }

    private void deliver(FrameKind complete, ByteBuffer bytes) {
        switch (complete) {
            case CALL -> deliverCall(bytes.array());
            case PIECE -> listener.arrived(piece);
            case CREDIT -> listener.credited(head.getInt(0));
            case FAILURE -> deliverFailure(bytes.array());
            case LEAVE -> listener.left();
        }
    }

    private void deliverCall(byte[] bytes) {
        int operationBytes = head.getInt(8);
        byte[] content = new byte[bytes.length - operationBytes];
        System.arraycopy(bytes, operationBytes, content, 0, content.length);
        listener.called(head.getLong(0), new String(bytes, 0, operationBytes, StandardCharsets.UTF_8), content);
    }

    private void deliverFailure(byte[] message) {
        int errorKind = head.get(4);
        if (errorKind < 0 || errorKind >= ERROR_KINDS.length) {
            throw new ProtocolException("failure of unknown kind " + errorKind);
        }
        listener.failed(new GroupFailure(
                ERROR_KINDS[errorKind], head.getInt(0), new String(message, StandardCharsets.UTF_8), null));
    }

    /** Moves what is there, up to what {@code target} can take. */
    private static void read(ByteBuf in, ByteBuffer target) {
        int length = Math.min(in.readableBytes(), target.remaining());
        int end = target.limit();
        in.readBytes(target.limit(target.position() + length));
        target.limit(end);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end(null);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        stop();
        listener.ended(cause);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event == ChannelInputShutdownReadComplete.INSTANCE) {
            end(null);
        }
    }

    private void end(Throwable cause) {
        stop();
        listener.ended(cause);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (context.channel().isWritable()) {
            listener.writable();
        }
    }
}
