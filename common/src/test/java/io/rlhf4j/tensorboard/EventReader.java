package io.rlhf4j.tensorboard;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads event files, as far as we write them; refuses wrong checksums. */
public final class EventReader {
    /**
     * One event.
     *
     * @param wallTime seconds since 1970
     * @param version the file's, where the event says it
     * @param restart whether earlier events of this step and later ones are void
     */
    public record Event(double wallTime, long step, String version, boolean restart, Map<String, Float> scalars) {}

    private EventReader() {}

    /** All events of a file. */
    public static List<Event> read(byte[] file) {
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        List<Event> events = new ArrayList<>();
        while (in.hasRemaining()) {
            ByteBuffer length = in.slice(in.position(), Long.BYTES);
            ByteBuffer data = in.slice(in.position() + Long.BYTES + Integer.BYTES, (int) in.getLong());
            requireEqual(in.getInt(), EventFile.maskedChecksum(length));
            in.position(in.position() + data.limit());
            requireEqual(in.getInt(), EventFile.maskedChecksum(data.duplicate()));
            events.add(event(data));
        }
        return events;
    }

    private static Event event(ByteBuffer data) {
        Map<Integer, Object> fields = fields(data);
        Map<String, Float> scalars = new LinkedHashMap<>();
        if (fields.containsKey(5)) {
            ByteBuffer summary = (ByteBuffer) fields.get(5);
            while (summary.hasRemaining()) {
                varint(summary);
                Map<Integer, Object> value = fields(take(summary));
                scalars.put(text(value.get(1)), (Float) value.get(2));
            }
        }
        return new Event(
                (double) fields.get(1),
                (long) fields.getOrDefault(2, 0L),
                fields.containsKey(3) ? text(fields.get(3)) : "",
                fields.containsKey(7)
                        && fields((ByteBuffer) fields.get(7)).get(1).equals(1L),
                scalars);
    }

    private static Map<Integer, Object> fields(ByteBuffer in) {
        in.order(ByteOrder.LITTLE_ENDIAN);
        Map<Integer, Object> fields = new LinkedHashMap<>();
        while (in.hasRemaining()) {
            long key = varint(in);
            Object value =
                    switch ((int) key & 7) {
                        case 0 -> varint(in);
                        case 1 -> in.getDouble();
                        case 2 -> take(in);
                        case 5 -> in.getFloat();
                        default -> throw new AssertionError("no such kind of field: " + key);
                    };
            fields.put((int) (key >> 3), value);
        }
        return fields;
    }

    private static ByteBuffer take(ByteBuffer in) {
        int length = (int) varint(in);
        ByteBuffer taken = in.slice(in.position(), length);
        in.position(in.position() + length);
        return taken;
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = in.get();
            value |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    private static String text(Object bytes) {
        return StandardCharsets.UTF_8.decode((ByteBuffer) bytes).toString();
    }

    private static void requireEqual(int read, int computed) {
        if (read != computed) {
            throw new AssertionError("checksum %08x, computed %08x".formatted(read, computed));
        }
    }
}
