package io.rlhf4j.workers.runtime;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.MachineShare;
import io.rlhf4j.tensor.Scope;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * A place for one task at a time: its backend, and what earlier tasks left for later ones.
 *
 * <p>What is kept is taken out by the one who works with it and given back, under a new name of its state, when the work
 * is done. A task that fails in between gives nothing back: a half-changed model is never found again.
 */
public final class Slot {
    private record Kept(StateId state, AutoCloseable resource) {}

    private final int number;
    private final Semaphore free = new Semaphore(1);
    private final Map<String, Backends.Choice> backends = new HashMap<>();
    private final Map<String, Kept> kept = new HashMap<>();
    private final Map<String, Scope> families = new HashMap<>();
    private Optional<String> gpu = Optional.empty();

    Slot(int number) {
        this.number = number;
    }

    /** Its number in the JVM, from 0. A rank works in the slot of its number. */
    public int number() {
        return number;
    }

    /** The use of a slot, until it is closed. */
    public final class Lease implements AutoCloseable {
        /** The slot. */
        public Slot slot() {
            return Slot.this;
        }

        @Override
        public void close() {
            free.release();
        }
    }

    /**
     * Waits until nobody else uses the slot.
     *
     * @param device the address of the GPU that the task was given, if it was; what the slot kept on another one is freed
     */
    public Lease lease(Optional<String> device) throws InterruptedException {
        free.acquire();
        use(device);
        return new Lease();
    }

    /** The use of the slot, unless somebody has it or it keeps something on another GPU. */
    Optional<Lease> tryLease(Optional<String> device) {
        if (!free.tryAcquire()) {
            return Optional.empty();
        }
        if (keepsElsewhere(device)) {
            free.release();
            return Optional.empty();
        }
        use(device);
        return Optional.of(new Lease());
    }

    private synchronized boolean keepsElsewhere(Optional<String> device) {
        return !kept.isEmpty() && !gpu.equals(device);
    }

    private synchronized void use(Optional<String> device) {
        if (keepsElsewhere(device)) {
            clear();
        }
        gpu = device;
    }

    /** The address of the GPU that the task in the slot was given, if it was. */
    public synchronized Optional<String> gpu() {
        return gpu;
    }

    /** The slot's own backend of that name, which computes on the slot's GPU if it computes on one. */
    public synchronized Backend backend(String name, int threads) {
        MachineShare share = new MachineShare(threads, gpu);
        return backends.computeIfAbsent(
                        name + " " + share, key -> Backends.onClassPath().choose(name, share))
                .backend();
    }

    /**
     * A scope of a family whose bytes are counted together: all that a step of a run holds in this slot.
     *
     * @param family what the bytes are held for
     * @param name of the scope
     * @param backend the slot's own
     */
    public synchronized Scope scope(String family, String name, Backend backend) {
        return families.compute(
                        family,
                        (same, known) ->
                                known != null && known.backend() == backend ? known : Scope.root(backend, family))
                .child(name);
    }

    /** The most bytes of tensors that the family has held at once. */
    public synchronized long peakBytes(String family) {
        Scope found = families.get(family);
        return found == null ? 0 : found.peakBytes();
    }

    /** Whether {@code name} is kept in exactly this state, on that GPU if it needs one. */
    public synchronized boolean holds(String name, StateId state, Optional<String> device) {
        Kept found = kept.get(name);
        return found != null && found.state().equals(state) && gpu.equals(device);
    }

    /** Takes out what is kept under {@code name}, if it is in exactly this state; anything else there is closed. */
    public synchronized <T extends AutoCloseable> Optional<T> take(String name, StateId state, Class<T> type) {
        Kept found = kept.remove(name);
        if (found == null) {
            return Optional.empty();
        }
        if (found.state().equals(state) && type.isInstance(found.resource())) {
            return Optional.of(type.cast(found.resource()));
        }
        close(found.resource());
        return Optional.empty();
    }

    /** Keeps {@code resource} for a later task. */
    public synchronized void give(String name, StateId state, AutoCloseable resource) {
        Kept before = kept.put(name, new Kept(state, resource));
        if (before != null && before.resource() != resource) {
            close(before.resource());
        }
    }

    /** Closes what is kept under {@code name}, in whatever state. */
    synchronized void release(String name) {
        Kept found = kept.remove(name);
        if (found != null) {
            close(found.resource());
        }
    }

    /** Closes everything that is kept. */
    public synchronized void clear() {
        kept.values().forEach(each -> close(each.resource()));
        kept.clear();
    }

    private static void close(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception failed) {
            throw new IllegalStateException("cannot free " + resource, failed);
        }
    }
}
