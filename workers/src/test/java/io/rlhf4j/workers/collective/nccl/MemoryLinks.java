package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Links among ranks that are threads of one JVM, on any backend: what NCCL does between GPUs, by queues of numbers. Moves are
 * seen to be done after some looks.
 */
final class MemoryLinks implements Links {
    private static final int LOOKS = 3;
    private static final int SECONDS = 20;

    /** How the ranks of one group come to have links; the same object for all of them. */
    static final class Meeting implements Joining {
        private final Map<String, BlockingQueue<float[]>> ways = new ConcurrentHashMap<>();
        private final List<MemoryLinks> joined = new ArrayList<>();
        /** The rank whose moves are never done. */
        private final int stuck;

        Meeting() {
            this(-1);
        }

        Meeting(int stuck) {
            this.stuck = stuck;
        }

        @Override
        public boolean drives(Backend backend) {
            return true;
        }

        @Override
        public byte[] newIdentity() {
            return new byte[] {42};
        }

        @Override
        public synchronized Links join(Backend backend, byte[] identity, int rank, int worldSize) {
            if (identity.length != 1 || identity[0] != 42) {
                throw new IllegalStateException("rank %d has not heard of the identity".formatted(rank));
            }
            MemoryLinks links = new MemoryLinks(this, backend, rank, worldSize);
            joined.add(links);
            return links;
        }

        /** The ranks whose moves were ended. */
        synchronized List<Integer> aborted() {
            return joined.stream()
                    .filter(links -> links.aborted)
                    .map(links -> links.rank)
                    .sorted()
                    .toList();
        }

        private BlockingQueue<float[]> way(int from, int to) {
            return ways.computeIfAbsent(from + " " + to, key -> new LinkedBlockingQueue<>());
        }
    }

    private final Meeting meeting;
    private final Backend backend;
    private final int rank;
    private final int worldSize;
    private volatile boolean aborted;
    private int looks;

    private MemoryLinks(Meeting meeting, Backend backend, int rank, int worldSize) {
        this.meeting = meeting;
        this.backend = backend;
        this.rank = rank;
        this.worldSize = worldSize;
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public void begin(List<Move> moves) {
        requireReady();
        looks = 0;
        moves.forEach(this::give);
        moves.forEach(this::take);
    }

    private void requireReady() {
        if (looks < LOOKS) {
            throw new IllegalStateException("rank %d begins moves before the last ones are under way".formatted(rank));
        }
    }

    private void give(Move move) {
        switch (move.kind()) {
            case SEND -> meeting.way(rank, move.rank()).add(move.tensor().toFloats());
            case RECEIVE -> {}
            case BROADCAST -> {
                if (move.rank() == rank) {
                    toOthers(move.tensor());
                }
            }
            case GATHER -> toOthers(part(move.tensor(), rank));
        }
    }

    private void take(Move move) {
        switch (move.kind()) {
            case SEND -> {}
            case RECEIVE -> receive(move.tensor(), move.rank());
            case BROADCAST -> {
                if (move.rank() != rank) {
                    receive(move.tensor(), move.rank());
                }
            }
            case GATHER -> {
                for (int other = 0; other < worldSize; other++) {
                    if (other != rank) {
                        receive(part(move.tensor(), other), other);
                    }
                }
            }
        }
    }

    private void toOthers(Tensor tensor) {
        for (int other = 0; other < worldSize; other++) {
            if (other != rank) {
                meeting.way(rank, other).add(tensor.toFloats());
            }
        }
    }

    private void receive(Tensor tensor, int from) {
        try {
            float[] values = meeting.way(from, rank).poll(SECONDS, TimeUnit.SECONDS);
            if (values == null || values.length != tensor.elements()) {
                throw new IllegalStateException("rank %d sends something else than %s".formatted(from, tensor));
            }
            backend.write(tensor, values, 0);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private Tensor part(Tensor whole, int of) {
        int elements = Math.toIntExact(whole.elements() / worldSize);
        return whole.flatten().slice(of * elements, (of + 1) * elements);
    }

    @Override
    public boolean isReady() {
        return ++looks >= LOOKS;
    }

    @Override
    public boolean isDone() {
        return isReady() && meeting.stuck != rank;
    }

    @Override
    public void abort() {
        aborted = true;
    }

    @Override
    public void close() {
        requireReady();
    }
}
