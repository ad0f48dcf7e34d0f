package io.rlhf4j.format;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * A file that has to have a hash: each of its bytes is hashed when it is first read. A hash goes through a file from its
 * beginning to its end, so what a read passes over is read for it, and readers do best to ask in the order of the file.
 */
final class HashedBytes implements RandomAccessBytes {
    private final String origin;
    private final RandomAccessBytes bytes;
    private final String sha256;
    private final MessageDigest digest = HashingOutputStream.digest();
    private long hashed;
    private String actual;

    /**
     * The file behind {@code bytes}.
     *
     * @param sha256 that it has to have, hexadecimal
     */
    HashedBytes(String origin, RandomAccessBytes bytes, String sha256) {
        this.origin = origin;
        this.bytes = bytes;
        this.sha256 = sha256;
    }

    @Override
    public long length() {
        return bytes.length();
    }

    @Override
    public synchronized ByteBuffer read(long position, int count) throws IOException {
        hashUpTo(Math.min(position, length()));
        ByteBuffer read = bytes.read(position, count);
        if (position + count > hashed) {
            digest.update(read.slice((int) (hashed - position), (int) (position + count - hashed)));
            hashed = position + count;
        }
        return read;
    }

    private void hashUpTo(long end) throws IOException {
        while (hashed < end) {
            int count = (int) Math.min(end - hashed, MAXIMUM_READ);
            digest.update(bytes.read(hashed, count).duplicate());
            hashed += count;
        }
    }

    @Override
    public synchronized void verify() throws IOException {
        if (actual == null) {
            hashUpTo(length());
            actual = HexFormat.of().formatHex(digest.digest());
        }
        if (!actual.equals(sha256)) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "%s is damaged or was never finished: its SHA-256 is %s, what was written had %s"
                            .formatted(origin, actual, sha256));
        }
    }

    @Override
    public void close() throws IOException {
        bytes.close();
    }
}
