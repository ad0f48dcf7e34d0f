package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.GroupFailure;
import java.util.BitSet;
import java.util.concurrent.CompletableFuture;

/**
 * One operation as this rank sees it: who has come to it, what they bring, what is moved. Apart from the outcome it belongs to
 * the group's thread.
 */
final class Exchange {
    private final long sequence;
    private final String operation;
    private final byte[] content;
    private final Transfer transfer;
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private final long created = System.nanoTime();
    private byte[][] contents;
    private BitSet awaited;
    private int queued;
    private int writesUnderWay;
    private long sentBytes;
    private long receivedBytes;
    private GroupFailure failure;

    /**
     * How an operation ends.
     *
     * @param contents what every rank brought, by rank
     * @param failure null where it went well
     */
    record Outcome(byte[][] contents, GroupFailure failure) {}

    Exchange(long sequence, String operation, byte[] content, Transfer transfer) {
        this.sequence = sequence;
        this.operation = operation;
        this.content = content;
        this.transfer = transfer;
    }

    long sequence() {
        return sequence;
    }

    String operation() {
        return operation;
    }

    byte[] content() {
        return content;
    }

    Transfer transfer() {
        return transfer;
    }

    CompletableFuture<Outcome> outcome() {
        return outcome;
    }

    /** This rank has come; all others are awaited. */
    void begin(int rank, int worldSize) {
        contents = new byte[worldSize][];
        contents[rank] = content;
        awaited = new BitSet(worldSize);
        awaited.set(0, worldSize);
        awaited.clear(rank);
    }

    void called(int peer, byte[] message) {
        contents[peer] = message;
        awaited.clear(peer);
        receivedBytes += message.length;
    }

    void sent(long bytes) {
        sentBytes += bytes;
    }

    void received(long bytes) {
        receivedBytes += bytes;
    }

    /** Something waits to be sent. */
    void queued() {
        queued++;
    }

    /** It waits no longer: all of it has been given to Netty. */
    void unqueued() {
        queued--;
    }

    /** Netty has been given memory of the operation's tensors. */
    void writeBegins() {
        writesUnderWay++;
    }

    /** Netty has let go of it. */
    void writeEnds() {
        writesUnderWay--;
    }

    boolean hasWrites() {
        return writesUnderWay > 0;
    }

    /** Whether that rank has still to come. */
    boolean awaits(int peer) {
        return awaited.get(peer);
    }

    /** Who has not come; where all have, who has not sent all; where all have, who does not take what it is sent. */
    int[] awaited(BitSet takers) {
        BitSet ranks = awaited;
        if (ranks.isEmpty()) {
            ranks = new BitSet();
            transfer.addAwaited(ranks);
        }
        return (ranks.isEmpty() ? takers : ranks).stream().toArray();
    }

    boolean isDone() {
        return queued == 0 && writesUnderWay == 0 && awaited.isEmpty() && transfer.isDone();
    }

    void succeed() {
        outcome.complete(new Outcome(contents, null));
    }

    /** Ends it, as soon as nobody but its rank knows its tensors. */
    void fail(GroupFailure first) {
        failure = first;
        transfer.release();
        endWhereFailed();
    }

    /** Ends it where it has failed and nobody but its rank knows its tensors. */
    void endWhereFailed() {
        if (failure != null && writesUnderWay == 0) {
            outcome.complete(new Outcome(null, failure));
        }
    }

    long sentBytes() {
        return sentBytes;
    }

    long receivedBytes() {
        return receivedBytes;
    }

    long nanoseconds() {
        return System.nanoTime() - created;
    }
}
