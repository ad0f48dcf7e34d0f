package io.rlhf4j.workers.collective.network.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * Lets a connection read what a frame consists of straight to its place, instead of to a buffer from which it would be copied.
 * Heads of frames, and short ones, come by way of a small buffer. Each connection has its own.
 */
public final class PlacedReceiving extends DefaultMaxMessagesRecvByteBufAllocator {
    private static final int SHORT = 4 << 10;
    private static final int READS_IN_TURN = 64;

    private FrameReader reader;

    /** Until there is a reader all bytes come by way of the small buffer. */
    public PlacedReceiving() {
        super(READS_IN_TURN);
    }

    /** Whose frames come from here on. */
    public void readBy(FrameReader newReader) {
        reader = newReader;
    }

    @Override
    @SuppressWarnings("deprecation") // Netty's own handles are of this type.
    public Handle newHandle() {
        return new MaxMessageHandle() {
            @Override
            public int guess() {
                return SHORT;
            }

            @Override
            public ByteBuf allocate(ByteBufAllocator allocator) {
                ByteBuf place = reader == null ? null : reader.placeOf(SHORT);
                return place == null ? allocator.ioBuffer(SHORT) : place;
            }
        };
    }
}
