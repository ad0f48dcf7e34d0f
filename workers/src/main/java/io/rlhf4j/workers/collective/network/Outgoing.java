package io.rlhf4j.workers.collective.network;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.network.protocol.Phase;
import io.rlhf4j.workers.collective.network.protocol.Piece;
import java.nio.ByteBuffer;

/** A run of a shard's elements on its way to one peer, cut in pieces as the peer can take them. */
final class Outgoing {
    private final Exchange exchange;
    private final Phase phase;
    private final Elements source;
    private final long shardFrom;
    private final DType wire;
    private final int pieceElements;
    private final long end;
    private long next;

    /**
     * Elements {@code from} to {@code end} of the shard that begins at {@code shardFrom} of {@code source}.
     */
    Outgoing(Exchange exchange, Phase phase, Elements source, long shardFrom, long from, long end, Cut cut) {
        this.exchange = exchange;
        this.phase = phase;
        this.source = source;
        this.shardFrom = shardFrom;
        this.next = from;
        this.end = end;
        this.wire = cut.wire();
        this.pieceElements = cut.pieceElements();
    }

    Exchange exchange() {
        return exchange;
    }

    boolean isEmpty() {
        return next == end;
    }

    private int nextElements() {
        return (int) Math.min(pieceElements, end - next);
    }

    /** The head of the next piece. */
    Piece piece() {
        return new Piece(exchange.sequence(), phase, next, nextElements() * wire.bytes());
    }

    /** The bytes of the next piece, which is gone with this: the tensor's own memory where it is sent as it is. */
    ByteBuf take(ByteBufAllocator allocator) {
        int count = nextElements();
        ByteBuffer bytes = source.bytes(shardFrom + next, count);
        next += count;
        if (wire == source.type()) {
            return Unpooled.wrappedBuffer(bytes);
        }
        float[] values = new float[count];
        Elements.read(bytes, source.type(), values, count);
        ByteBuf converted = allocator.directBuffer(count * wire.bytes());
        Elements.write(values, count, wire, converted.internalNioBuffer(0, count * wire.bytes()));
        return converted.writerIndex(count * wire.bytes());
    }
}
