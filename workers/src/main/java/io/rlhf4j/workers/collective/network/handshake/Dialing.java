package io.rlhf4j.workers.collective.network.handshake;

import io.netty.channel.ChannelHandlerContext;
import io.rlhf4j.workers.collective.network.handshake.GroupSecret.Role;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;

/** The end that dials. */
public final class Dialing extends Handshake {
    private final GroupSecret secret;
    private final int peer;
    private final byte[] hello;
    private boolean proven;

    /** @param peer the rank that is dialled */
    public Dialing(Member self, GroupSecret secret, int peer, HandshakeListener listener, Duration deadline) {
        super(listener, deadline);
        this.secret = secret;
        this.peer = peer;
        this.hello = new Hello(self, peer, HexFormat.of().formatHex(GroupSecret.nonce())).encode();
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        super.channelActive(context);
        send(context, Message.Kind.HELLO, hello);
    }

    @Override
    void receive(ChannelHandlerContext context, Message message) throws HandshakeException {
        switch (message.kind()) {
            case CHALLENGE -> prove(context, message.body());
            case WELCOME -> welcomed(context);
            case HELLO, PROOF, REFUSAL ->
                throw new HandshakeException("%s is no answer to a hello".formatted(message.kind()));
        }
    }

    private void welcomed(ChannelHandlerContext context) throws HandshakeException {
        if (!proven) {
            throw new HandshakeException("a welcome from one that has not proved to know the secret");
        }
        join(context, peer);
    }

    private void prove(ChannelHandlerContext context, byte[] challenge) throws HandshakeException {
        if (challenge.length != 2 * GroupSecret.BYTES) {
            throw new HandshakeException("a challenge of %d bytes".formatted(challenge.length));
        }
        byte[] nonce = Arrays.copyOf(challenge, GroupSecret.BYTES);
        byte[] proof = Arrays.copyOfRange(challenge, GroupSecret.BYTES, challenge.length);
        if (!secret.proves(proof, Role.ACCEPTOR, hello, nonce)) {
            throw new HandshakeException(Accepting.WRONG_SECRET);
        }
        proven = true;
        send(context, Message.Kind.PROOF, secret.proof(Role.DIALER, hello, nonce));
    }
}
