package io.rlhf4j.workers.collective.network;

import io.rlhf4j.tensor.DType;
import java.time.Duration;

/**
 * How the ranks of a group speak to each other. All ranks need the same, but for the host.
 *
 * @param host the name or address under which the other ranks reach this one: what Spark itself uses for the executor
 * @param ports where this rank listens while the group comes together
 * @param joinDeadline how long a rank waits for the group to come together
 * @param deadline how long a rank waits for the others at one operation before the group ends
 * @param sumType FP32 sums tensors as they are; BF16 sums FP32 tensors as though they were BF16, and sends half the bytes
 * @param pieceBytes bytes sent at a time
 * @param bufferBytes what a rank may receive ahead of its use, from all others together
 */
public record NetworkSettings(
        String host,
        PortRange ports,
        Duration joinDeadline,
        Duration deadline,
        DType sumType,
        int pieceBytes,
        long bufferBytes) {
    private static final int SMALLEST_PIECE = 4;
    private static final int LARGEST_PIECE = 64 << 20;
    /** A window of fewer pieces would let a sender wait for each of them. */
    private static final int PIECES_IN_WINDOW = 4;

    private static final int LARGEST_WINDOW = 256 << 20;

    /** Settings that can work together. */
    public NetworkSettings {
        if (pieceBytes < SMALLEST_PIECE || pieceBytes > LARGEST_PIECE) {
            throw new IllegalArgumentException("pieces of %d bytes; between %d and %d are possible"
                    .formatted(pieceBytes, SMALLEST_PIECE, LARGEST_PIECE));
        }
    }

    /** Sums in FP32, pieces of 256 KiB, 64 MiB received ahead, any free port. */
    public static NetworkSettings of(String host, Duration deadline) {
        return new NetworkSettings(host, PortRange.ANY, deadline, deadline, DType.FP32, 256 << 10, 64L << 20);
    }

    /** These, with sums of another type. */
    public NetworkSettings withSumType(DType type) {
        return new NetworkSettings(host, ports, joinDeadline, deadline, type, pieceBytes, bufferBytes);
    }

    /** These, with a deadline of its own for the group to come together. */
    public NetworkSettings withJoinDeadline(Duration duration) {
        return new NetworkSettings(host, ports, duration, deadline, sumType, pieceBytes, bufferBytes);
    }

    /** These, with other pieces. */
    public NetworkSettings withPieceBytes(int bytes) {
        return new NetworkSettings(host, ports, joinDeadline, deadline, sumType, bytes, bufferBytes);
    }

    /** These, listening on other ports. */
    public NetworkSettings withPorts(PortRange range) {
        return new NetworkSettings(host, range, joinDeadline, deadline, sumType, pieceBytes, bufferBytes);
    }

    /** Bytes that a rank may send to another one before that one has used some up. */
    int windowBytes(int worldSize) {
        long share = bufferBytes / Math.max(1, worldSize - 1);
        return (int) Math.max((long) PIECES_IN_WINDOW * pieceBytes, Math.min(share, LARGEST_WINDOW));
    }
}
