package io.rlhf4j.backend.cuda;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The host's numbers that a recorded pass reads: each array has a place on the device, and all are brought there together
 * before the pass is run again. Arrays are told apart by what they are, not by what they hold.
 */
final class RecordedInputs {
    private static final int ALIGNMENT = 64;

    private record Input(Supplier<int[]> values, int at, int length) {}

    private final Uploads uploads;
    private final DeviceMemory memory;
    private final int room;
    private final Map<Object, Input> inputs = new IdentityHashMap<>();
    private final List<Input> inOrder = new ArrayList<>();
    private int[] together = new int[0];
    private int used;

    /** @param memory where they lie; there is no room beyond it */
    RecordedInputs(Uploads uploads, DeviceMemory memory) {
        this.uploads = uploads;
        this.memory = memory;
        this.room = Math.toIntExact(memory.bytes() / Integer.BYTES);
    }

    /** Where on the device the numbers of {@code source} will lie. */
    long place(Object source, Supplier<int[]> values) {
        Input input = inputs.get(source);
        if (input == null) {
            input = new Input(values, used, values.get().length);
            if (used + input.length > room) {
                throw new IllegalStateException(
                        "a recorded pass reads more than %d numbers of the host".formatted(room));
            }
            used += (input.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            inputs.put(source, input);
            inOrder.add(input);
        }
        return memory.address() + (long) Integer.BYTES * input.at;
    }

    /** Brings what the arrays hold now to the device. */
    void send() {
        if (together.length != used) {
            together = new int[used];
        }
        for (Input input : inOrder) {
            int[] values = input.values.get();
            if (values.length != input.length) {
                throw new IllegalStateException(
                        "%d numbers where a recorded pass has read %d".formatted(values.length, input.length));
            }
            System.arraycopy(values, 0, together, input.at, input.length);
        }
        uploads.copy(together, memory.address());
    }
}
