package io.rlhf4j.workers.collective.network;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.rlhf4j.workers.collective.GroupFailure;
import io.rlhf4j.workers.collective.network.protocol.FrameListener;
import io.rlhf4j.workers.collective.network.protocol.FrameReader;
import io.rlhf4j.workers.collective.network.protocol.Frames;
import io.rlhf4j.workers.collective.network.protocol.Piece;
import io.rlhf4j.workers.collective.network.protocol.PlacedReceiving;
import io.rlhf4j.workers.collective.network.protocol.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * The connection to one peer: what waits to be sent, as far as the peer can take it, and what has come before this rank came to
 * the operation. It belongs to the group's thread.
 */
final class Link implements FrameListener {
    private final Group group;
    private final int peer;
    private final String address;
    private final int windowBytes;
    private final ArrayDeque<Outgoing> outgoing = new ArrayDeque<>();
    private final ArrayDeque<Call> earlyCalls = new ArrayDeque<>();
    private final ArrayDeque<EarlyPiece> earlyPieces = new ArrayDeque<>();
    private EarlyPiece filling;
    private Channel channel;
    private FrameReader reader;
    private long lastCall;
    private int writing;
    private int credit;
    private int usedUp;
    private int ahead;
    private boolean left;
    private boolean ended;

    private record Call(long sequence, String operation, byte[] content) {}

    /** A piece of an operation to which this rank has not come; the peer's credit bounds how many there are. */
    private record EarlyPiece(Piece piece, ByteBuf bytes) {}

    /** @param address of the peer, for messages */
    Link(Group group, int peer, String address, int windowBytes) {
        this.group = group;
        this.peer = peer;
        this.address = address;
        this.windowBytes = windowBytes;
        this.credit = windowBytes;
    }

    int peer() {
        return peer;
    }

    String address() {
        return address;
    }

    boolean isOpen() {
        return channel != null && !ended;
    }

    boolean hasLeft() {
        return left;
    }

    /** Whether the peer has still to take something. */
    boolean isSending() {
        return !outgoing.isEmpty() || writing > 0;
    }

    /** The peer has shaken hands over this channel. */
    void attach(Channel newChannel, int maxPieceBytes) {
        channel = newChannel;
        reader = new FrameReader(this, maxPieceBytes);
        channel.pipeline().addLast(reader);
        if (channel.config().getRecvByteBufAllocator() instanceof PlacedReceiving receiving) {
            receiving.readBy(reader);
        }
    }

    // ---- to the peer

    void call(Exchange exchange) {
        ByteBuf frame = Frames.call(channel.alloc(), exchange.sequence(), exchange.operation(), exchange.content());
        exchange.sent(frame.readableBytes());
        channel.writeAndFlush(frame);
    }

    void send(Outgoing next) {
        outgoing.add(next);
        next.exchange().queued();
        writable();
    }

    @Override
    public void writable() {
        boolean written = false;
        while (!outgoing.isEmpty() && channel.isWritable() && writeNext(outgoing.peek())) {
            written = true;
        }
        if (written) {
            channel.flush();
        }
    }

    private boolean writeNext(Outgoing next) {
        Piece piece = next.piece();
        if (piece.bytes() > credit) {
            return false;
        }
        credit -= piece.bytes();
        Exchange exchange = next.exchange();
        ByteBuf head = Frames.piece(channel.alloc(), piece);
        exchange.sent(head.readableBytes() + piece.bytes());
        ByteBuf bytes = next.take(channel.alloc());
        if (next.isEmpty()) {
            outgoing.remove();
            exchange.unqueued();
        }
        exchange.writeBegins();
        writing++;
        channel.write(head);
        channel.write(bytes).addListener(done -> {
            writing--;
            group.written(exchange, this, done.cause());
        });
        return true;
    }

    /** This rank has used up bytes that the peer sent. Credit is given in few, large steps. */
    void usedUp(int bytes) {
        usedUp += bytes;
        if (usedUp >= windowBytes / 4) {
            channel.writeAndFlush(Frames.credit(channel.alloc(), usedUp));
            ahead -= usedUp;
            usedUp = 0;
        }
    }

    /** The group has ended here. Nothing that comes is of interest, and nothing that waits will be sent. */
    void fail(GroupFailure failure) {
        outgoing.clear();
        earlyPieces.forEach(early -> early.bytes().release());
        earlyPieces.clear();
        if (channel != null) {
            reader.stop();
            channel.writeAndFlush(Frames.failure(channel.alloc(), failure));
        }
        if (filling != null) {
            filling.bytes().release();
            filling = null;
        }
    }

    /** Says farewell and, once that is sent, that nothing follows; what the peer still sends is read and forgotten. */
    void leave() {
        if (isOpen()) {
            channel.writeAndFlush(Frames.leave(channel.alloc()))
                    .addListener(done -> ((DuplexChannel) channel).shutdownOutput());
        }
    }

    void close() {
        if (channel != null) {
            channel.close();
        }
    }

    // ---- from the peer

    @Override
    public void called(long sequence, String operation, byte[] content) {
        if (sequence != lastCall + 1) {
            throw new ProtocolException(
                    "rank %d comes to operation %d after operation %d".formatted(peer, sequence, lastCall));
        }
        lastCall = sequence;
        Exchange exchange = group.exchange(sequence);
        if (exchange == null) {
            earlyCalls.add(new Call(sequence, operation, content));
        } else {
            group.called(exchange, peer, operation, content);
        }
    }

    @Override
    public ByteBuffer place(Piece piece) {
        if (piece.bytes() > windowBytes - ahead) {
            throw new ProtocolException("rank %d sends more than the %d bytes that it may send ahead of their use"
                    .formatted(peer, windowBytes));
        }
        ahead += piece.bytes();
        Exchange exchange = group.exchange(piece.sequence());
        if (exchange != null) {
            exchange.received(piece.bytes());
            return exchange.transfer().place(peer, piece);
        }
        if (piece.sequence() > lastCall || group.isOver(piece.sequence())) {
            throw new ProtocolException("rank %d sends %s out of turn".formatted(peer, piece));
        }
        filling = new EarlyPiece(piece, channel.alloc().directBuffer(piece.bytes()));
        return filling.bytes().internalNioBuffer(0, piece.bytes());
    }

    @Override
    public void arrived(Piece piece) {
        if (filling == null) {
            Exchange exchange = group.exchange(piece.sequence());
            exchange.transfer().arrived(peer, piece);
            group.endWhereDone(exchange);
            return;
        }
        EarlyPiece early = filling;
        filling = null;
        early.bytes().writerIndex(piece.bytes());
        Exchange exchange = group.exchange(piece.sequence());
        if (exchange == null) {
            earlyPieces.add(early);
        } else {
            // This rank has come to the operation while the piece was coming.
            deliver(exchange, early);
            group.endWhereDone(exchange);
        }
    }

    /** This rank has come to an operation to which the peer may have come before. */
    void begun(Exchange exchange) {
        if (!earlyCalls.isEmpty() && earlyCalls.peek().sequence() == exchange.sequence()) {
            Call call = earlyCalls.remove();
            group.called(exchange, peer, call.operation(), call.content());
        }
        while (!earlyPieces.isEmpty() && earlyPieces.peek().piece().sequence() == exchange.sequence()) {
            deliver(exchange, earlyPieces.remove());
        }
    }

    private void deliver(Exchange exchange, EarlyPiece early) {
        try {
            exchange.received(early.piece().bytes());
            exchange.transfer().place(peer, early.piece()).put(early.bytes().nioBuffer());
            exchange.transfer().arrived(peer, early.piece());
        } finally {
            early.bytes().release();
        }
    }

    @Override
    public void credited(int bytes) {
        if (bytes < 0 || bytes > windowBytes - credit) {
            throw new ProtocolException("rank %d takes %d bytes that it was not sent".formatted(peer, bytes));
        }
        credit += bytes;
        writable();
    }

    @Override
    public void failed(GroupFailure failure) {
        group.fail(failure);
    }

    @Override
    public void left() {
        left = true;
        group.left(this);
    }

    @Override
    public void ended(Throwable cause) {
        if (!ended) {
            ended = true;
            group.ended(this, cause);
            channel.close();
        }
    }
}
