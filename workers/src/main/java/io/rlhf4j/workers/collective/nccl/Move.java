package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.tensor.Tensor;

/**
 * One way of a tensor between the devices of a group, as one rank sees it.
 *
 * @param tensor contiguous
 * @param rank where to, where from, or whose it is; a gather has none
 */
record Move(Kind kind, Tensor tensor, int rank) {
    /** What becomes of the tensor. */
    enum Kind {
        /** It goes to one rank, which receives it at the same time. */
        SEND,
        /** It comes from one rank, which sends it at the same time. */
        RECEIVE,
        /** That of one rank goes to all. */
        BROADCAST,
        /** It has a part for each rank, of equal sizes; each rank's own goes to all. */
        GATHER
    }

    static Move send(Tensor tensor, int to) {
        return new Move(Kind.SEND, tensor, to);
    }

    static Move receive(Tensor tensor, int from) {
        return new Move(Kind.RECEIVE, tensor, from);
    }

    static Move broadcast(Tensor tensor, int root) {
        return new Move(Kind.BROADCAST, tensor, root);
    }

    static Move gather(Tensor whole) {
        return new Move(Kind.GATHER, whole, -1);
    }

    /** Bytes that rank {@code self} gives away. */
    long sentBytes(int self, int worldSize) {
        return switch (kind) {
            case SEND -> bytes();
            case RECEIVE -> 0;
            case BROADCAST -> rank == self && worldSize > 1 ? bytes() : 0;
            case GATHER -> bytes() / worldSize * (worldSize - 1);
        };
    }

    /** Bytes that rank {@code self} is given. */
    long receivedBytes(int self, int worldSize) {
        return switch (kind) {
            case SEND -> 0;
            case RECEIVE -> bytes();
            case BROADCAST -> rank == self ? 0 : bytes();
            case GATHER -> bytes() / worldSize * (worldSize - 1);
        };
    }

    private long bytes() {
        return tensor.elements() * tensor.type().bytes();
    }
}
