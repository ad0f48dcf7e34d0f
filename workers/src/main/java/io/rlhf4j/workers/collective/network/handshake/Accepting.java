package io.rlhf4j.workers.collective.network.handshake;

import io.netty.channel.ChannelHandlerContext;
import io.rlhf4j.workers.collective.network.handshake.GroupSecret.Role;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** The end that is dialled. */
public final class Accepting extends Handshake {
    static final String WRONG_SECRET = "the two ends know different secrets: is one a rank of another run?";

    private final Member self;
    private final GroupSecret secret;
    private final byte[] nonce = GroupSecret.nonce();
    private byte[] hello;

    /** An end that is this member. */
    public Accepting(Member self, GroupSecret secret, HandshakeListener listener, Duration deadline) {
        super(listener, deadline);
        this.self = self;
        this.secret = secret;
    }

    @Override
    void receive(ChannelHandlerContext context, Message message) throws HandshakeException, IOException {
        boolean expected = message.kind() == (hello == null ? Message.Kind.HELLO : Message.Kind.PROOF);
        if (!expected) {
            throw new HandshakeException("%s out of turn".formatted(message.kind()));
        }
        if (hello == null) {
            challenge(context, message.body());
        } else {
            welcome(context, message.body());
        }
    }

    private void challenge(ChannelHandlerContext context, byte[] body) {
        hello = body;
        byte[] proof = secret.proof(Role.ACCEPTOR, hello, nonce);
        ByteBuffer challenge = ByteBuffer.allocate(nonce.length + proof.length);
        send(context, Message.Kind.CHALLENGE, challenge.put(nonce).put(proof).array());
    }

    private void welcome(ChannelHandlerContext context, byte[] proof) throws HandshakeException, IOException {
        if (!secret.proves(proof, Role.DIALER, hello, nonce)) {
            throw new HandshakeException(WRONG_SECRET);
        }
        // Believed from here on: whoever said hello knows the secret.
        Hello said = Hello.decode(hello);
        requireSameGroup(said.from());
        int peer = said.from().rank();
        if (said.to() != self.rank()) {
            throw new HandshakeException(
                    "rank %d dials rank %d, and came to rank %d".formatted(peer, said.to(), self.rank()));
        }
        if (!listener().awaits(peer)) {
            throw new HandshakeException("rank %d dials, which rank %d does not await: a second one of that rank?"
                    .formatted(peer, self.rank()));
        }
        send(context, Message.Kind.WELCOME, new byte[0]);
        join(context, peer);
    }

    private void requireSameGroup(Member other) throws HandshakeException {
        boolean sameGroup = other.run().equals(self.run())
                && other.generation() == self.generation()
                && other.worldSize() == self.worldSize();
        if (!sameGroup) {
            throw new HandshakeException(
                    "%s dials %s: is one a leftover of an earlier attempt?".formatted(other, self));
        }
        if (!other.terms().equals(self.terms())) {
            throw new HandshakeException(
                    "the settings of rank %d are %s, and those of rank %d are %s: they have to be the same"
                            .formatted(other.rank(), other.terms(), self.rank(), self.terms()));
        }
    }
}
