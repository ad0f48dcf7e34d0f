package io.rlhf4j.workers.collective.network.handshake;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Arrays;
import java.util.Optional;

/**
 * One message of a handshake: a magic number, the protocol's version, a kind, a length and a body. The head stays as it is in
 * every version, so that versions can refuse each other in words.
 */
record Message(Kind kind, byte[] body) {
    /** The version of this handshake and of the frames behind it. */
    static final short VERSION = 1;

    private static final int MAGIC = 0x524c4834; // "RLH4"
    private static final int HEAD_BYTES = 9;
    private static final int MAX_BODY_BYTES = 4096;

    /** What a message says. The order is part of the protocol. */
    enum Kind {
        /** From the dialer: a {@link Hello}. */
        HELLO,
        /** From the acceptor: nonce and proof. */
        CHALLENGE,
        /** From the dialer: proof. */
        PROOF,
        /** From the acceptor: frames may follow. */
        WELCOME,
        /** From either: why not, in words. */
        REFUSAL
    }

    ByteBuf encode(ByteBufAllocator allocator) {
        byte[] sent = Arrays.copyOf(body, Math.min(body.length, MAX_BODY_BYTES));
        ByteBuf bytes = allocator.buffer(HEAD_BYTES + sent.length);
        bytes.writeInt(MAGIC).writeShort(VERSION).writeByte(kind.ordinal());
        return bytes.writeShort(sent.length).writeBytes(sent);
    }

    /**
     * Takes the next message, if all of it is there.
     *
     * @throws HandshakeException where it cannot be one, as soon as that shows
     */
    static Optional<Message> decode(ByteBuf in) throws HandshakeException {
        requireMagic(in);
        if (in.readableBytes() < HEAD_BYTES) {
            return Optional.empty();
        }
        int at = in.readerIndex();
        int version = in.getShort(at + 4);
        int kind = in.getByte(at + 6);
        int length = in.getUnsignedShort(at + 7);
        if (kind < 0 || kind >= Kind.values().length || length > MAX_BODY_BYTES) {
            throw new HandshakeException("a message of kind %d and %d bytes, which cannot be".formatted(kind, length));
        }
        if (version != VERSION && kind != Kind.REFUSAL.ordinal()) {
            throw new HandshakeException(("one end speaks version %d of the protocol and the other version %d: are all"
                            + " executors given the same version of rlhf4j?")
                    .formatted(version, VERSION));
        }
        if (in.readableBytes() < HEAD_BYTES + length) {
            return Optional.empty();
        }
        byte[] body = new byte[length];
        in.skipBytes(HEAD_BYTES).readBytes(body);
        return Optional.of(new Message(Kind.values()[kind], body));
    }

    /** Looks at as many bytes as there are: a stranger may not send a whole head before it is shown out. */
    private static void requireMagic(ByteBuf in) throws HandshakeException {
        int known = Math.min(4, in.readableBytes());
        for (int i = 0; i < known; i++) {
            if (in.getByte(in.readerIndex() + i) != (byte) (MAGIC >>> (24 - 8 * i))) {
                throw new HandshakeException("a stranger, that does not speak this protocol");
            }
        }
    }
}
