package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Bfloat16;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.CollectiveException;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Operations;
import io.rlhf4j.workers.collective.Shards;
import io.rlhf4j.workers.collective.network.FolderMeeting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;

/** The main program of a JVM that is one rank of a group on GPUs. */
public final class GpuRank {
    /** What the rank ends with that dies. */
    static final int DEAD = 9;

    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final int[] SIZES = {1, 1000, 40_003, 3_000_000};

    private final Collectives ranks;
    private final Collectives control;
    private final Backend backend = Gpus.backend(0);

    private GpuRank(Collectives ranks, Collectives control) {
        this.ranks = ranks;
        this.control = control;
    }

    /** @param arguments folder, {@code operations} or {@code lost}, rank, ranks */
    public static void main(String[] arguments) {
        int rank = Integer.parseInt(arguments[2]);
        Collectives control = FolderMeeting.join(Path.of(arguments[0]), rank, Integer.parseInt(arguments[3]), DEADLINE);
        // So little room that large tensors go in several pieces.
        try (Collectives ranks = new NcclCollectives(control, NcclLinks.JOINING, DType.FP32, DEADLINE, 1 << 20)) {
            GpuRank self = new GpuRank(ranks, control);
            if (arguments[1].equals("lost")) {
                self.loseOne();
            } else {
                self.checkOperations();
            }
        } catch (CollectiveException failed) {
            System.out.println(failed.getMessage());
            System.exit(failed.kind().exitCode());
        }
    }

    private void checkOperations() {
        for (DType type : DType.values()) {
            for (int size : SIZES) {
                float[] sum = sum(type, size);
                try (Scope scope = Scope.root(backend, "rank")) {
                    Tensor tensor = scope.of(type, values(type, ranks.rank(), size), size);
                    ranks.allReduceSum(tensor);
                    requireEqual("allReduceSum", type, tensor, sum);
                }
                try (Scope scope = Scope.root(backend, "rank")) {
                    Shards shards = uneven(size);
                    Tensor whole = scope.of(type, values(type, ranks.rank(), size), size);
                    Tensor part = scope.zeros(type, (int) shards.size(ranks.rank()));
                    ranks.reduceScatterSum(whole, shards, part);
                    requireEqual("reduceScatterSum's whole", type, whole, values(type, ranks.rank(), size));
                    ranks.allGather(part, shards, whole);
                    requireEqual("allGather", type, whole, sum);
                    ranks.broadcast(whole, 1);
                    requireEqual("broadcast", type, whole, sum);
                    whole.backend().fill(whole, ranks.rank());
                    ranks.broadcast(whole, 2);
                    float[] twos = new float[size];
                    Arrays.fill(twos, 2f);
                    requireEqual("broadcast from rank 2", type, whole, twos);
                }
                ranks.barrier();
            }
        }
        System.out.println("sent %d bytes".formatted(ranks.metrics().sentBytes()));
        System.out.println("all equal");
    }

    /** Rank 1 agrees on an operation and dies; the others have begun it by then. */
    private void loseOne() {
        try (Scope scope = Scope.root(backend, "rank")) {
            Tensor tensor = scope.zeros(DType.FP32, 3000);
            ranks.allReduceSum(tensor);
            if (ranks.rank() == 1) {
                control.agree(Operations.allReduceSum(tensor) + " on GPUs");
                pause(500);
                Runtime.getRuntime().halt(DEAD);
            }
            try {
                ranks.allReduceSum(tensor);
            } finally {
                tensor.backend().fill(tensor, 3f);
                if (tensor.toFloats()[2999] == 3f) {
                    System.out.println("the GPU goes on");
                }
            }
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** The last rank has nothing, the first one more than the others. */
    private Shards uneven(int elements) {
        long[] sizes = new long[ranks.worldSize()];
        for (int rank = 1; rank < sizes.length - 1; rank++) {
            sizes[rank] = elements / sizes.length;
        }
        sizes[0] = elements - Arrays.stream(sizes).sum();
        return Shards.ofSizes(sizes);
    }

    private float[] sum(DType type, int size) {
        float[] sum = values(type, 0, size);
        for (int rank = 1; rank < ranks.worldSize(); rank++) {
            float[] term = values(type, rank, size);
            for (int i = 0; i < size; i++) {
                sum[i] += term[i];
            }
        }
        for (int i = 0; i < size; i++) {
            sum[i] = type == DType.BF16 ? Bfloat16.round(sum[i]) : sum[i];
        }
        return sum;
    }

    private static float[] values(DType type, int rank, int size) {
        SplittableRandom random = new SplittableRandom(rank);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            float value = (float) random.nextGaussian();
            values[i] = type == DType.BF16 ? Bfloat16.round(value) : value;
        }
        return values;
    }

    private void requireEqual(String operation, DType type, Tensor tensor, float[] expected) {
        float[] values = tensor.toFloats();
        int different = Arrays.mismatch(values, expected);
        if (different >= 0) {
            throw new IllegalStateException("rank %d, %s of %d %s: element %d is %s, not %s"
                    .formatted(
                            ranks.rank(),
                            operation,
                            values.length,
                            type,
                            different,
                            values[different],
                            expected[different]));
        }
    }
}
