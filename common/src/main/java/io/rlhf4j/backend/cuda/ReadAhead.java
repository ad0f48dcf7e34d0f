package io.rlhf4j.backend.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * Which weight a recorded pass reads after which: learnt while the pass runs as it is, told while it is recorded, so that
 * each product brings a part of the next one's weight near. After the last comes the first: the pass will be run again.
 */
final class ReadAhead {
    /** Of the next weight: what arrives while small kernels run between two products. */
    private static final int MOST_BYTES = 3 << 20;

    /** A weight on the device. */
    record Weight(long address, int bytes) {}

    static final Weight NONE = new Weight(0, 0);

    private List<Weight> learning;
    private List<Weight> telling;
    private int told;

    /** Begins to learn the order of a pass. */
    void learn() {
        learning = new ArrayList<>();
    }

    /** What was learnt since {@link #learn}. */
    List<Weight> learnt() {
        List<Weight> order = learning;
        learning = null;
        return order;
    }

    /** Until {@link #stop} the pass of this order runs once more. */
    void tell(List<Weight> order) {
        telling = order;
        told = 0;
    }

    void stop() {
        telling = null;
    }

    /** The weight of {@code bytes} at {@code address} is read now; the one that comes next, or {@link #NONE}. */
    Weight after(long address, long bytes) {
        if (learning != null) {
            learning.add(new Weight(address, (int) Math.min(MOST_BYTES, bytes)));
        }
        if (telling == null || telling.isEmpty()) {
            return NONE;
        }
        told++;
        return telling.get(told % telling.size());
    }
}
