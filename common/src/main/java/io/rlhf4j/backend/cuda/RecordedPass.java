package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.RepeatedPass;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;

/**
 * A pass as a graph of the driver (CUDA graphs): run as it is the first time, so that all kernels are there, recorded the
 * second time, and from then on started as a whole, without a word from its operations.
 */
final class RecordedPass implements RepeatedPass {
    private static final long INPUT_BYTES = 4L << 20;

    private final Workbench bench;
    private final Object backend;
    private final Runnable pass;
    private List<ReadAhead.Weight> order;
    private Recording recording;

    /** @param memory what the pass works in, by size */
    private record Recording(
            long executable, DeviceMemory inputMemory, RecordedInputs inputs, Map<Long, ArrayDeque<Long>> memory) {}

    /** @param backend whose operations wait for each other by its lock */
    RecordedPass(Workbench bench, Object backend, Runnable pass) {
        this.bench = bench;
        this.backend = backend;
        this.pass = pass;
    }

    @Override
    public void run() {
        synchronized (backend) {
            bench.stream().enter();
            if (order == null) {
                bench.readAhead().learn();
                pass.run();
                order = bench.readAhead().learnt();
                return;
            }
            if (recording == null) {
                recording = record();
            }
            recording.inputs.send();
            bench.stream().run(recording.executable);
        }
    }

    private Recording record() {
        DeviceMemory inputMemory = bench.memories().allocate(INPUT_BYTES);
        RecordedInputs inputs = new RecordedInputs(bench.uploads(), inputMemory);
        Map<Long, ArrayDeque<Long>> memory = Map.of();
        try {
            bench.memories().beginRecording();
            bench.uploads().beginRecording(inputs);
            bench.readAhead().tell(order);
            bench.stream().beginRecording();
            long graph;
            try {
                pass.run();
            } finally {
                memory = bench.memories().endRecording();
                bench.uploads().endRecording();
                bench.readAhead().stop();
                graph = bench.stream().endRecording();
            }
            return new Recording(executable(graph), inputMemory, inputs, memory);
        } catch (Throwable failed) {
            bench.memories().release(memory);
            inputMemory.close();
            throw failed;
        }
    }

    private static long executable(long graph) {
        long[] executable = new long[1];
        try {
            Calls.driver(DriverApi.cuGraphInstantiateWithFlags(executable, graph, 0), "cuGraphInstantiate");
        } finally {
            Calls.driver(DriverApi.cuGraphDestroy(graph), "cuGraphDestroy");
        }
        return executable[0];
    }

    @Override
    public void close() {
        synchronized (backend) {
            if (recording != null) {
                bench.stream().enter();
                // The last run may not be through, and a graph that is destroyed must be.
                bench.stream().await();
                Calls.driver(DriverApi.cuGraphExecDestroy(recording.executable), "cuGraphExecDestroy");
                bench.memories().release(recording.memory);
                recording.inputMemory.close();
                recording = null;
            }
        }
    }
}
