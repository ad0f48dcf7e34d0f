package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.backend.cuda.DeviceGroup;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.CollectiveException;
import io.rlhf4j.workers.collective.CollectiveMetrics;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.GroupFailure;
import io.rlhf4j.workers.collective.Operations;
import io.rlhf4j.workers.collective.Pending;
import io.rlhf4j.workers.collective.Shards;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A rank's end of a group whose ranks each have a GPU of their own. Tensors that lie on it go from GPU to GPU once the ranks
 * have agreed on the operation in another group of the same ranks, which does everything else itself.
 *
 * <p>A started operation takes place when it is awaited, or before the next one that is: so a device waits for others only
 * while its rank looks at it, and sees when another one fails.
 */
public final class NcclCollectives implements Collectives {
    /** Beside the tensors themselves, while a sum is taken. */
    private static final long SCRATCH_BYTES = 128L << 20;

    /** How long the other group may take to tell of a lost rank once NCCL has failed, which does not know whom it lost. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    private static final byte[] NOTHING = {};
    /** Looks in quick succession, before the rank sleeps in between. */
    private static final int QUICK_LOOKS = 20_000;

    private static final long SLEEP_NANOS = 20_000;

    private final Collectives control;
    private final Links.Joining joining;
    private final DType sumType;
    private final Duration deadline;
    private final long scratchBytes;
    private final ArrayDeque<Runnable> started = new ArrayDeque<>();
    private Links links;
    private boolean closed;

    NcclCollectives(Collectives control, Links.Joining joining, DType sumType, Duration deadline, long scratchBytes) {
        this.control = control;
        this.joining = joining;
        this.sumType = sumType;
        this.deadline = deadline;
        this.scratchBytes = scratchBytes;
    }

    /**
     * The end of {@code control}'s rank. GPUs are joined by the first operation on a tensor that lies on one; those of other
     * backends of the rank go by {@code control}.
     *
     * @param control another group of the same ranks, sound and of the same sum type; closed with this one
     * @param sumType FP32 sums tensors as they are; BF16 sums FP32 tensors as though they were BF16
     * @param deadline how long a rank waits for its GPU at one operation before the group ends
     * @throws Rlhf4jException of kind CLUSTER where NCCL is missing
     */
    public static NcclCollectives over(Collectives control, DType sumType, Duration deadline) {
        requireNccl();
        return new NcclCollectives(control, NcclLinks.JOINING, sumType, deadline, SCRATCH_BYTES);
    }

    private static void requireNccl() {
        DeviceGroup.unusableBecause().ifPresent(obstacle -> {
            throw new Rlhf4jException(
                    ErrorKind.CLUSTER,
                    "cluster.collectives is nccl, which cannot run here: %s; or set it to network".formatted(obstacle));
        });
    }

    @Override
    public int rank() {
        return control.rank();
    }

    @Override
    public int worldSize() {
        return control.worldSize();
    }

    @Override
    public Pending startAllReduceSum(Tensor tensor) {
        return isMoved(tensor)
                ? start(Operations.allReduceSum(tensor), tensor.backend(), devices -> devices.allReduceSum(tensor))
                : first(() -> control.startAllReduceSum(tensor));
    }

    @Override
    public Pending startReduceScatterSum(Tensor whole, Shards shards, Tensor part) {
        return isMoved(whole) && part.backend() == whole.backend()
                ? start(
                        Operations.reduceScatterSum(whole, shards, part, rank()),
                        whole.backend(),
                        devices -> devices.reduceScatterSum(whole, shards, part))
                : first(() -> control.startReduceScatterSum(whole, shards, part));
    }

    @Override
    public Pending startAllGather(Tensor part, Shards shards, Tensor whole) {
        return isMoved(whole) && part.backend() == whole.backend()
                ? start(
                        Operations.allGather(part, shards, whole, rank()),
                        whole.backend(),
                        devices -> devices.allGather(part, shards, whole))
                : first(() -> control.startAllGather(part, shards, whole));
    }

    @Override
    public Pending startBroadcast(Tensor tensor, int root) {
        return isMoved(tensor)
                ? start(
                        Operations.broadcast(tensor, root, worldSize()),
                        tensor.backend(),
                        devices -> devices.broadcast(tensor, root))
                : first(() -> control.startBroadcast(tensor, root));
    }

    private boolean isMoved(Tensor tensor) {
        return links == null ? joining.drives(tensor.backend()) : tensor.backend() == links.backend();
    }

    private Pending start(String operation, Backend backend, Consumer<DeviceOperations> action) {
        Runnable operationOnDevices = () -> run(operation, backend, action);
        started.add(operationOnDevices);
        return () -> {
            while (started.contains(operationOnDevices)) {
                started.remove().run();
            }
        };
    }

    /** What has been started takes place first. */
    private <T> T first(Supplier<T> action) {
        while (!started.isEmpty()) {
            started.remove().run();
        }
        return action.get();
    }

    private void run(String operation, Backend backend, Consumer<DeviceOperations> action) {
        // A rank whose tensor lies elsewhere would call the operation without these words.
        control.agree(operation + " on GPUs");
        long begin = System.nanoTime();
        try {
            if (links == null) {
                join(operation, backend);
            }
            DeviceOperations devices = new DeviceOperations(
                    links, rank(), worldSize(), sumType, scratchBytes, () -> await(operation, links::isReady));
            action.accept(devices);
            await(operation, links::isDone);
            metrics().addMoved(operation, devices.sentBytes(), devices.receivedBytes(), System.nanoTime() - begin);
        } catch (CollectiveException ended) {
            abortLinks();
            control.abort(ended);
            throw ended;
        } catch (RuntimeException failed) {
            abortLinks();
            throw ended(failed);
        }
    }

    /** What the group ends with where this rank cannot go on, which may be because another one is lost. */
    private CollectiveException ended(RuntimeException failed) {
        long end = System.nanoTime() + GRACE.toNanos();
        while (control.failure().isEmpty() && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(SLEEP_NANOS);
        }
        GroupFailure first = control.failure().orElseGet(() -> GroupFailure.aborted(rank(), "", failed));
        control.abort(failed);
        CollectiveException ended = first.exception();
        if (ended.getCause() != failed) {
            // The first cause is another rank's: this one's tells what happened here.
            ended.addSuppressed(failed);
        }
        return ended;
    }

    private void join(String operation, Backend backend) {
        byte[] identity =
                control.allGather(rank() == 0 ? joining.newIdentity() : NOTHING).get(0);
        links = joining.join(backend, identity, rank(), worldSize());
        await(operation, links::isReady);
    }

    private void await(String operation, BooleanSupplier condition) {
        long end = System.nanoTime() + deadline.toNanos();
        for (int looks = 0; ; looks++) {
            Optional<GroupFailure> failure = control.failure();
            if (failure.isPresent()) {
                throw failure.get().exception();
            }
            if (condition.getAsBoolean()) {
                return;
            }
            if (Thread.currentThread().isInterrupted()) {
                throw GroupFailure.interrupted(rank(), operation, new InterruptedException())
                        .exception();
            }
            if (System.nanoTime() - end > 0) {
                throw hangs(operation).exception();
            }
            if (looks < QUICK_LOOKS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(SLEEP_NANOS);
            }
        }
    }

    private GroupFailure hangs(String operation) {
        return new GroupFailure(
                ErrorKind.RETRYABLE,
                rank(),
                ("rank %d waited %d ms for its GPU at %s, to which all ranks have come: a GPU or the way between two of them"
                                + " hangs; nvidia-smi and dmesg tell of the first, NCCL_DEBUG=INFO of the second")
                        .formatted(rank(), deadline.toMillis(), operation),
                null);
    }

    @Override
    public double[] allReduceSum(double[] values) {
        return first(() -> control.allReduceSum(values));
    }

    @Override
    public double[] allReduceMax(double[] values) {
        return first(() -> control.allReduceMax(values));
    }

    @Override
    public List<byte[]> allGather(byte[] message) {
        return first(() -> control.allGather(message));
    }

    @Override
    public void agree(String operation) {
        first(() -> {
            control.agree(operation);
            return operation;
        });
    }

    @Override
    public Optional<GroupFailure> failure() {
        return control.failure();
    }

    @Override
    public CollectiveMetrics metrics() {
        return control.metrics();
    }

    /** Ranks that wait for their GPUs hear it from {@code control}, and let them go. */
    @Override
    public void abort(Throwable cause) {
        control.abort(cause);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        started.clear();
        boolean failed = control.failure().isPresent();
        control.close();
        if (failed) {
            abortLinks();
        } else if (links != null) {
            links.close();
        }
    }

    private void abortLinks() {
        if (links != null) {
            links.abort();
        }
    }
}
