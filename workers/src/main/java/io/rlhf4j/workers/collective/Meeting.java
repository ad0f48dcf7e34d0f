package io.rlhf4j.workers.collective;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
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
    private GroupFailure failure;

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
                throw fail(GroupFailure.waitedInVain(rank, deadline, absent(), offer.operation()));
            }
            try {
                wait(left / 1_000_000, (int) (left % 1_000_000));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw fail(GroupFailure.interrupted(rank, offer.operation(), interrupted));
            }
        }
    }

    private void requireAgreement() {
        for (int rank = 1; rank < worldSize; rank++) {
            if (!arriving[rank].operation().equals(arriving[0].operation())) {
                throw fail(GroupFailure.disagreement(0, arriving[0].operation(), rank, arriving[rank].operation()));
            }
        }
    }

    private void requireNobodyLeft(Offer offer) {
        for (int rank = 0; rank < worldSize; rank++) {
            if (left[rank]) {
                throw fail(GroupFailure.hasLeft(rank, offer.operation()));
            }
        }
    }

    private int[] absent() {
        return IntStream.range(0, worldSize)
                .filter(rank -> arriving[rank] == null)
                .toArray();
    }

    /** Ends the group for {@code cause}, unless it has ended. */
    synchronized void abort(int rank, Throwable cause) {
        if (failure == null) {
            fail(GroupFailure.aborted(rank, "", cause));
        }
    }

    /** Rank {@code rank} will not come again. */
    synchronized void leave(int rank) {
        left[rank] = true;
        Arrays.stream(arriving)
                .filter(offer -> failure == null && offer != null)
                .findFirst()
                .ifPresent(waiting -> fail(GroupFailure.hasLeft(rank, waiting.operation())));
    }

    synchronized Optional<GroupFailure> failure() {
        return Optional.ofNullable(failure);
    }

    private void requireSound() {
        if (failure != null) {
            throw failure.exception();
        }
    }

    private CollectiveException fail(GroupFailure first) {
        failure = first;
        notifyAll();
        return first.exception();
    }
}
