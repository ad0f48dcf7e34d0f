package io.rlhf4j.workers.collective;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Where the ranks of a JVM meet: each brings an offer, and goes on when all have come. The first failure ends the
 * meeting for everybody.
 */
final class Meeting {
    /** What a rank brings: the operation with its size, which has to be everyone's, and whatever the others may look at. */
    record Offer(String operation, Object content) {}

    private final int worldSize;
    private final Duration deadline;
    private final boolean[] left;
    private Offer[] arriving;
    private Offer[] complete;
    private int arrived;
    private long round;
    private CollectiveException failure;

    Meeting(int worldSize, Duration deadline) {
        this.worldSize = worldSize;
        this.deadline = deadline;
        this.left = new boolean[worldSize];
        this.arriving = new Offer[worldSize];
    }

    int worldSize() {
        return worldSize;
    }

    /**
     * Brings an offer and waits for all others.
     *
     * @return the offers of all ranks, by rank
     * @throws CollectiveException where the group has failed, or fails while this rank waits
     */
    synchronized Offer[] meet(int rank, Offer offer) {
        requireSound();
        arriving[rank] = offer;
        arrived++;
        if (arrived == worldSize) {
            requireAgreement();
            complete = arriving;
            arriving = new Offer[worldSize];
            arrived = 0;
            round++;
            notifyAll();
            return complete;
        }
        requireNobodyLeft(offer);
        waitForOthers(rank, offer);
        return complete;
    }

    private void waitForOthers(int rank, Offer offer) {
        long myRound = round;
        long end = System.nanoTime() + deadline.toNanos();
        while (round == myRound) {
            requireSound();
            long left = end - System.nanoTime();
            if (left <= 0) {
                throw fail(
                        absent()[0],
                        ErrorKind.RETRYABLE,
                        "rank %d waited %s for %s at %s: dead, or much slower than the others?"
                                .formatted(rank, deadline, ranks(absent()), offer.operation()),
                        null);
            }
            try {
                wait(left / 1_000_000, (int) (left % 1_000_000));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw fail(
                        rank,
                        ErrorKind.INTERRUPTED,
                        "rank %d was interrupted while it waited at %s".formatted(rank, offer.operation()),
                        interrupted);
            }
        }
    }

    private void requireAgreement() {
        for (int rank = 1; rank < worldSize; rank++) {
            if (!arriving[rank].operation().equals(arriving[0].operation())) {
                throw fail(
                        rank,
                        ErrorKind.RETRYABLE,
                        "ranks disagree: rank 0 calls %s, rank %d calls %s"
                                .formatted(arriving[0].operation(), rank, arriving[rank].operation()),
                        null);
            }
        }
    }

    private void requireNobodyLeft(Offer offer) {
        for (int rank = 0; rank < worldSize; rank++) {
            if (left[rank]) {
                throw fail(
                        rank,
                        ErrorKind.RETRYABLE,
                        "rank %d has left the group, the others are at %s".formatted(rank, offer.operation()),
                        null);
            }
        }
    }

    private int[] absent() {
        return IntStream.range(0, worldSize)
                .filter(rank -> arriving[rank] == null)
                .toArray();
    }

    private static String ranks(int[] ranks) {
        return Arrays.stream(ranks).mapToObj(Integer::toString).collect(Collectors.joining(", ", "rank(s) ", ""));
    }

    /** Ends the group for {@code cause}, unless it has ended. */
    synchronized void abort(int rank, Throwable cause) {
        if (failure == null) {
            ErrorKind kind = cause instanceof Rlhf4jException known ? known.kind() : ErrorKind.RETRYABLE;
            fail(rank, kind, "rank %d failed: %s".formatted(rank, cause), cause);
        }
    }

    /** Rank {@code rank} will not come again. */
    synchronized void leave(int rank) {
        left[rank] = true;
        if (failure == null && arrived > 0) {
            requireOthersDone(rank);
        }
    }

    private void requireOthersDone(int rank) {
        for (int other = 0; other < worldSize; other++) {
            if (arriving[other] != null) {
                fail(
                        rank,
                        ErrorKind.RETRYABLE,
                        "rank %d has left the group, the others are at %s".formatted(rank, arriving[other].operation()),
                        null);
                return;
            }
        }
    }

    synchronized boolean hasFailed() {
        return failure != null;
    }

    private void requireSound() {
        if (failure != null) {
            // Each thread gets an exception of its own: stack traces and suppressed exceptions are not shared.
            throw new CollectiveException(failure.kind(), failure.firstRank(), failure.getMessage(), failure);
        }
    }

    private CollectiveException fail(int rank, ErrorKind kind, String message, Throwable cause) {
        failure = new CollectiveException(kind, rank, message, cause);
        notifyAll();
        return failure;
    }
}
