package io.rlhf4j.workers.runtime;

import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/** The one runtime of a JVM: its slots, and where ranks of one job find each other. */
public final class WorkerRuntime {
    /** The executor-wide runtime: jobs come and go, it stays. */
    private static final WorkerRuntime OF_THIS_JVM = new WorkerRuntime();

    private final String id = UUID.randomUUID().toString();
    private final TreeMap<Integer, Slot> slots = new TreeMap<>();
    private final Map<String, Joined> groups = new HashMap<>();

    private static final class Joined {
        private final LocalGroup group;
        private int members;

        Joined(LocalGroup group) {
            this.group = group;
        }
    }

    WorkerRuntime() {}

    /** The runtime of this JVM. */
    public static WorkerRuntime ofThisJvm() {
        return OF_THIS_JVM;
    }

    /** A name that no other JVM has, nor this one after a restart. */
    public String id() {
        return id;
    }

    /** The slot of that number. */
    public synchronized Slot slot(int number) {
        return slots.computeIfAbsent(number, Slot::new);
    }

    /**
     * Any slot that is free, the lowest of those that are there first; a new one where all are taken.
     *
     * @param gpu the address of the GPU that the task was given, if it was
     */
    public synchronized Slot.Lease leaseAny(Optional<String> gpu) {
        for (Slot slot : slots.values()) {
            Optional<Slot.Lease> lease = slot.tryLease(gpu);
            if (lease.isPresent()) {
                return lease.get();
            }
        }
        for (int number = 0; ; number++) {
            Optional<Slot.Lease> lease = slot(number).tryLease(gpu);
            if (lease.isPresent()) {
                return lease.get();
            }
        }
    }

    /** The slots that keep {@code name} in exactly this state, on that GPU if a task was given one. */
    public synchronized int[] holding(String name, StateId state, Optional<String> gpu) {
        return slots.values().stream()
                .filter(slot -> slot.holds(name, state, gpu))
                .mapToInt(Slot::number)
                .toArray();
    }

    /**
     * Frees what slots keep under {@code name}: in {@code own} and in all that nobody uses.
     *
     * @param own the caller's slot
     */
    public synchronized void release(String name, Slot own) {
        for (Slot slot : slots.values()) {
            if (slot == own) {
                slot.release(name);
            } else {
                slot.tryLease(slot.gpu()).ifPresent(lease -> {
                    try (lease) {
                        slot.release(name);
                    }
                });
            }
        }
    }

    /** Frees whatever jobs have left here. */
    public synchronized void clear() {
        slots.values().forEach(Slot::clear);
    }

    /**
     * Joins the group of a job whose ranks all lie in this JVM.
     *
     * @param job a name that no other attempt of any job has
     * @return rank's end; to be closed
     */
    public synchronized Collectives join(String job, int rank, int worldSize, Duration deadline) {
        Joined joined = groups.computeIfAbsent(job, key -> new Joined(new LocalGroup(worldSize, deadline)));
        joined.members++;
        if (joined.members == worldSize) {
            // Everybody has it: nobody will ask for it again.
            groups.remove(job);
        }
        return joined.group.member(rank);
    }
}
