package io.rlhf4j.backend.cpu;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.javacpp.Pointer;

/**
 * How much memory all pools of a process together may take from the system: what the JVM's option {@code
 * org.bytedeco.javacpp.maxbytes} allows, as for every other library of native code; without it there is no limit.
 */
final class MemoryBudget {
    /** That of this process, for pools stand beside each other in it: one for each rank. */
    static final MemoryBudget OF_THIS_PROCESS = new MemoryBudget(option());

    private final long limit;
    private final AtomicLong taken = new AtomicLong();
    private final List<MemoryPool> pools = new ArrayList<>();

    /** @param limit bytes; {@link Long#MAX_VALUE} for none */
    MemoryBudget(long limit) {
        this.limit = limit;
    }

    private static long option() {
        boolean given = System.getProperty("org.bytedeco.javacpp.maxbytes") != null
                || System.getProperty("org.bytedeco.javacpp.maxBytes") != null;
        // Otherwise JavaCPP takes the size of the heap, which says nothing about tensors.
        return given && Pointer.maxBytes() > 0 ? Pointer.maxBytes() : Long.MAX_VALUE;
    }

    /** Pools give idle memory back where others need it. */
    synchronized void join(MemoryPool pool) {
        pools.add(pool);
    }

    /**
     * Allows {@code bytes} more.
     *
     * @throws Rlhf4jException of kind CLUSTER where that is beyond the limit
     */
    void take(long bytes) {
        if (!tryTake(bytes)) {
            members().forEach(MemoryPool::releaseIdle);
            if (!tryTake(bytes)) {
                throw new Rlhf4jException(
                        ErrorKind.CLUSTER,
                        ("no memory for tensors: %,d bytes are asked, %,d are held and %,d allowed in this process"
                                        + " (-Dorg.bytedeco.javacpp.maxbytes, which RLHF4J_MEMORY sets); `rlhf4j plan` says what"
                                        + " is needed: cut models among the ranks (cluster.zero), put optimizer states on disk"
                                        + " (cluster.offload), generate without packed weights (weights: plain in"
                                        + " ppo.sampling and evaluation.sampling), take a smaller compute.micro_batch_tokens or compute.dtype bf16, or allow more")
                                .formatted(bytes, taken.get(), limit));
            }
        }
    }

    private boolean tryTake(long bytes) {
        if (taken.addAndGet(bytes) <= limit) {
            return true;
        }
        taken.addAndGet(-bytes);
        return false;
    }

    private synchronized List<MemoryPool> members() {
        return List.copyOf(pools);
    }

    /** Memory went back to the system. */
    void give(long bytes) {
        taken.addAndGet(-bytes);
    }
}
