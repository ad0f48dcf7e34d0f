package io.rlhf4j.workers.runtime;

import io.rlhf4j.run.ProcessMemory;
import java.util.Map;
import java.util.TreeMap;

/** What a rank has needed, as metrics. */
public final class MemoryUse {
    /** The most bytes of tensors that this rank has held at once in its step. */
    public static final String COUNTED = "memory_peak_bytes";

    /** The most physical memory that its process has had: all ranks in it, and the JVM's heap. */
    public static final String RESIDENT = "memory_resident_peak_bytes";

    private MemoryUse() {}

    /** Both numbers; the second is left out where the system does not tell it. */
    public static Map<String, Double> of(Slot slot, String family) {
        Map<String, Double> metrics = new TreeMap<>();
        metrics.put(COUNTED, (double) slot.peakBytes(family));
        ProcessMemory.residentPeak().ifPresent(bytes -> metrics.put(RESIDENT, (double) bytes));
        return metrics;
    }
}
