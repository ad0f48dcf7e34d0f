package io.rlhf4j.workers.collective.network.handshake;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The first thing said over a connection.
 *
 * @param from who dials
 * @param to the rank that it wants to speak to
 * @param nonce random, so that no proof is of use twice
 */
record Hello(Member from, int to, String nonce) {
    byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeUTF(from.run());
            out.writeLong(from.generation());
            out.writeInt(from.worldSize());
            out.writeInt(from.rank());
            out.writeUTF(from.terms());
            out.writeInt(to);
            out.writeUTF(nonce);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    static Hello decode(byte[] bytes) throws IOException {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            Member from = new Member(in.readUTF(), in.readLong(), in.readInt(), in.readInt(), in.readUTF());
            return new Hello(from, in.readInt(), in.readUTF());
        }
    }
}
