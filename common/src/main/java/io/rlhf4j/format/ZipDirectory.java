package io.rlhf4j.format;

import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the entries of a zip file lie, so that they can be read in place. Entries have to be stored without compression, as
 * PyTorch writes them. {@code java.util.zip} reads local files only, and reads an entry from its beginning only.
 */
final class ZipDirectory {
    private static final int LOCAL = 0x04034b50;
    private static final int CENTRAL = 0x02014b50;
    private static final int END = 0x06054b50;
    private static final int END_64 = 0x06064b50;
    private static final int END_64_LOCATOR = 0x07064b50;
    private static final int ZIP_64_EXTRA = 0x0001;
    private static final long IN_EXTRA = 0xffffffffL;

    private final String origin;
    private final RandomAccessBytes bytes;

    private ZipDirectory(String origin, RandomAccessBytes bytes) {
        this.origin = origin;
        this.bytes = bytes;
    }

    /** All entries by name. */
    static Map<String, ByteRegion> read(String origin, RandomAccessBytes bytes) throws IOException {
        return new ZipDirectory(origin, bytes).entries();
    }

    private Map<String, ByteRegion> entries() throws IOException {
        if (bytes.length() < 22 || bytes.read(0, 4).getInt(0) != LOCAL) {
            throw damaged(
                    "is no zip file. Files of PyTorch before 1.6 have another form: load and save it again with a "
                            + "newer PyTorch, or use safetensors");
        }
        ByteBuffer directory = centralDirectory();
        Map<String, ByteRegion> entries = new LinkedHashMap<>();
        while (directory.remaining() >= 46 && directory.getInt(directory.position()) == CENTRAL) {
            readEntry(directory, entries);
        }
        if (directory.hasRemaining()) {
            throw damaged("the list of its entries is damaged");
        }
        return entries;
    }

    private ByteBuffer centralDirectory() throws IOException {
        long end = endRecord();
        ByteBuffer record = bytes.read(end, 22);
        long size = record.getInt(12) & IN_EXTRA;
        long position = record.getInt(16) & IN_EXTRA;
        if (end >= 20 && bytes.read(end - 20, 4).getInt(0) == END_64_LOCATOR) {
            long end64 = bytes.read(end - 20, 20).getLong(8);
            if (end64 < 0 || end64 > end - 56 || bytes.read(end64, 4).getInt(0) != END_64) {
                throw damaged("its zip64 end record is not where it should be");
            }
            ByteBuffer record64 = bytes.read(end64, 56);
            size = record64.getLong(40);
            position = record64.getLong(48);
        }
        if (size < 0 || position < 0 || size > end || position > end - size) {
            throw damaged("the list of its entries would reach over the end of the file; is it truncated?");
        }
        ByteRegion region = new ByteRegion(origin, bytes, position, size, null);
        return ByteBuffer.wrap(region.readAll(0, size)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The end record is the last thing in the file, but for a comment of at most 64 KiB. */
    private long endRecord() throws IOException {
        int tail = (int) Math.min(bytes.length(), 22 + 0xffff);
        ByteBuffer last = bytes.read(bytes.length() - tail, tail);
        for (int at = tail - 22; at >= 0; at--) {
            if (last.getInt(at) == END && (last.getShort(at + 20) & 0xffff) == tail - 22 - at) {
                return bytes.length() - tail + at;
            }
        }
        throw damaged("has no end record; is it truncated?");
    }

    private void readEntry(ByteBuffer directory, Map<String, ByteRegion> entries) throws IOException {
        int at = directory.position();
        int flags = directory.getShort(at + 8);
        int method = directory.getShort(at + 10);
        long crc = directory.getInt(at + 16) & IN_EXTRA;
        long compressed = directory.getInt(at + 20) & IN_EXTRA;
        long size = directory.getInt(at + 24) & IN_EXTRA;
        int nameLength = directory.getShort(at + 28) & 0xffff;
        int extraLength = directory.getShort(at + 30) & 0xffff;
        int commentLength = directory.getShort(at + 32) & 0xffff;
        long local = directory.getInt(at + 42) & IN_EXTRA;
        if (directory.remaining() < 46 + nameLength + extraLength + commentLength) {
            throw damaged("the list of its entries is damaged");
        }
        String name = new String(directory.array(), at + 46, nameLength, StandardCharsets.UTF_8);
        ByteBuffer extra = directory.slice(at + 46 + nameLength, extraLength).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer wide = zip64Fields(extra);
        size = size == IN_EXTRA ? nextWide(wide, name) : size;
        compressed = compressed == IN_EXTRA ? nextWide(wide, name) : compressed;
        local = local == IN_EXTRA ? nextWide(wide, name) : local;
        if (method != 0 || (flags & 1) != 0 || compressed != size) {
            throw damaged("its entry '%s' is compressed or encrypted, which PyTorch never does".formatted(name));
        }
        if (entries.put(name, region(name, local, size, crc)) != null) {
            throw damaged("has two entries '%s'".formatted(name));
        }
        directory.position(at + 46 + nameLength + extraLength + commentLength);
    }

    private ByteRegion region(String name, long local, long size, long crc) throws IOException {
        if (local < 0 || local > bytes.length() - 30 || bytes.read(local, 4).getInt(0) != LOCAL) {
            throw damaged("its entry '%s' is not where the list says".formatted(name));
        }
        ByteBuffer header = bytes.read(local, 30);
        long begin = local + 30 + (header.getShort(26) & 0xffff) + (header.getShort(28) & 0xffff);
        if (size < 0 || begin > bytes.length() - size) {
            throw damaged("its entry '%s' of %d bytes reaches over the end of the file; is it truncated?"
                    .formatted(name, size));
        }
        return new ByteRegion(origin + "!" + name, bytes, begin, size, crc);
    }

    private static ByteBuffer zip64Fields(ByteBuffer extra) {
        int at = 0;
        while (at + 4 <= extra.capacity()) {
            int length = extra.getShort(at + 2) & 0xffff;
            if (at + 4 + length > extra.capacity()) {
                break;
            }
            if (extra.getShort(at) == ZIP_64_EXTRA) {
                return extra.slice(at + 4, length).order(ByteOrder.LITTLE_ENDIAN);
            }
            at += 4 + length;
        }
        return ByteBuffer.allocate(0);
    }

    private long nextWide(ByteBuffer wide, String name) {
        if (wide.remaining() < 8) {
            throw damaged("its entry '%s' lacks its length".formatted(name));
        }
        return wide.getLong();
    }

    private Rlhf4jException damaged(String what) {
        return Rlhf4jException.data(origin + ": " + what);
    }
}
