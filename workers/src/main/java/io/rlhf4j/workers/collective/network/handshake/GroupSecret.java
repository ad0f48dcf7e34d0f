package io.rlhf4j.workers.collective.network.handshake;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** What only the ranks of one run know. It never shows in a log. */
public final class GroupSecret {
    /** Bytes of a secret, and of a proof. */
    public static final int BYTES = 32;

    private static final String ALGORITHM = "HmacSHA256";

    private final byte[] bytes;

    /** @param bytes at least {@link #BYTES}, from {@link #random} */
    public GroupSecret(byte[] bytes) {
        if (bytes.length < BYTES) {
            throw new IllegalArgumentException(
                    "a secret of %d bytes; it needs %d random ones".formatted(bytes.length, BYTES));
        }
        this.bytes = bytes.clone();
    }

    /** A secret for a new run. */
    public static GroupSecret random() {
        return new GroupSecret(nonce());
    }

    /** Another secret, which only those know who know this one and {@code other} too. */
    public GroupSecret boundTo(byte[] other) {
        return new GroupSecret(mac(other, bytes));
    }

    /** A copy, to be handed to the ranks. */
    public byte[] bytes() {
        return bytes.clone();
    }

    static byte[] nonce() {
        byte[] nonce = new byte[BYTES];
        new SecureRandom().nextBytes(nonce);
        return nonce;
    }

    /** That whoever says {@code parts} in this {@code role} knows the secret. */
    byte[] proof(Role role, byte[]... parts) {
        byte[][] said = new byte[parts.length + 1][];
        said[0] = new byte[] {(byte) role.ordinal()};
        System.arraycopy(parts, 0, said, 1, parts.length);
        return mac(bytes, said);
    }

    private static byte[] mac(byte[] key, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            for (byte[] part : parts) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, impossible);
        }
    }

    boolean proves(byte[] claimed, Role role, byte[]... parts) {
        return MessageDigest.isEqual(claimed, proof(role, parts));
    }

    /** Who proves: so that nobody can answer with what it was asked. */
    enum Role {
        DIALER,
        ACCEPTOR
    }

    @Override
    public String toString() {
        return "a secret";
    }
}
