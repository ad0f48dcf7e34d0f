package io.rlhf4j.format;

import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32;

/** A range of a file, with a checksum where the format has one; the checksum is compared before the first byte is used. */
final class ByteRegion {
    private final String origin;
    private final RandomAccessBytes bytes;
    private final long position;
    private final long length;
    private final Long crc32;
    private final AtomicBoolean checked = new AtomicBoolean();

    /**
     * The range of {@code length} bytes from {@code position} on, which the caller has compared with the file's length.
     *
     * @param origin what messages call it
     * @param crc32 its checksum, or null where the format has none
     */
    ByteRegion(String origin, RandomAccessBytes bytes, long position, long length, Long crc32) {
        this.origin = origin;
        this.bytes = bytes;
        this.position = position;
        this.length = length;
        this.crc32 = crc32;
    }

    String origin() {
        return origin;
    }

    long length() {
        return length;
    }

    /** {@code count} bytes, at most {@link RandomAccessBytes#MAXIMUM_READ}, from {@code offset} within the range on. */
    ByteBuffer read(long offset, int count) throws IOException {
        if (crc32 != null && !checked.get()) {
            check();
        }
        return bytes.read(position + offset, count);
    }

    /** {@code count} bytes in an array of their own. */
    byte[] readAll(long offset, long count) throws IOException {
        if (count > Integer.MAX_VALUE - 8) {
            throw Rlhf4jException.data("%s: %d bytes are too many to be read at once".formatted(origin, count));
        }
        byte[] all = new byte[(int) count];
        for (int from = 0; from < all.length; from += RandomAccessBytes.MAXIMUM_READ) {
            int part = Math.min(all.length - from, RandomAccessBytes.MAXIMUM_READ);
            read(offset + from, part).get(all, from, part);
        }
        return all;
    }

    private void check() throws IOException {
        CRC32 actual = new CRC32();
        for (long offset = 0; offset < length; offset += RandomAccessBytes.MAXIMUM_READ) {
            actual.update(
                    bytes.read(position + offset, (int) Math.min(length - offset, RandomAccessBytes.MAXIMUM_READ)));
        }
        if (actual.getValue() != crc32) {
            throw Rlhf4jException.data(
                    origin + ": the checksum does not fit its bytes: the file is damaged; copy it anew");
        }
        checked.set(true);
    }
}
