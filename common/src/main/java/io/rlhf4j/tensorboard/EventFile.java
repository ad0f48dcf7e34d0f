package io.rlhf4j.tensorboard;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * The bytes of one event file: records of TensorFlow's TFRecord format, each an {@code Event} message of its {@code
 * event.proto}. A directory may have several files; TensorBoard reads them in the order of their names.
 */
public final class EventFile {
    /** What TensorBoard looks for in the name of a file. */
    public static final String NAME_PREFIX = "events.out.tfevents.";

    private static final String VERSION = "brain.Event:2";
    private static final int SESSION_START = 1;

    /** Field numbers of {@code Event}. */
    private static final int WALL_TIME = 1;

    private static final int STEP = 2;
    private static final int FILE_VERSION = 3;
    private static final int SUMMARY = 5;
    private static final int SESSION_LOG = 7;

    private final ByteArrayOutputStream records = new ByteArrayOutputStream();

    /** A file that begins at {@code time}. */
    public EventFile(Instant time) {
        record(event(time, 0).text(FILE_VERSION, VERSION));
    }

    /** Says that a run goes on at {@code step}: what TensorBoard has of that step and later ones is void. */
    public void restart(Instant time, long step) {
        ProtoMessage session = new ProtoMessage().integer(1, SESSION_START);
        record(event(time, step).message(SESSION_LOG, session));
    }

    /** Adds numbers of one moment. */
    public void scalars(Instant time, long step, Map<String, Double> values) {
        ProtoMessage summary = new ProtoMessage();
        values.forEach((tag, value) ->
                summary.message(1, new ProtoMessage().text(1, tag).single(2, value.floatValue())));
        record(event(time, step).message(SUMMARY, summary));
    }

    /** The file so far. */
    public byte[] bytes() {
        return records.toByteArray();
    }

    private static ProtoMessage event(Instant time, long step) {
        double seconds = time.getEpochSecond() + time.getNano() * 1e-9;
        return new ProtoMessage().number(WALL_TIME, seconds).integer(STEP, step);
    }

    /** Length, its checksum, the message, its checksum; all little-endian. */
    private void record(ProtoMessage message) {
        byte[] data = message.bytes();
        ByteBuffer length = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(data.length)
                .flip();
        ByteBuffer record = ByteBuffer.allocate(Long.BYTES + 2 * Integer.BYTES + data.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(data.length)
                .putInt(maskedChecksum(length))
                .put(data)
                .putInt(maskedChecksum(ByteBuffer.wrap(data)));
        records.writeBytes(record.array());
    }

    /** CRC-32C, turned and shifted as TFRecord has it: a checksum of bytes that hold checksums would be weak. */
    static int maskedChecksum(ByteBuffer data) {
        CRC32C checksum = new CRC32C();
        checksum.update(data);
        return Integer.rotateRight((int) checksum.getValue(), 15) + 0xa282ead8;
    }
}
