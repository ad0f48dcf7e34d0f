package io.rlhf4j.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Tensor;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * The GPUs of a group of ranks as one of them sees it: NCCL moves tensors from one to another, in the order of the backend's
 * stream. Every rank has a GPU of its own and asks for the same at the same time.
 *
 * <p>No call waits for other ranks. Each begins something, and whoever waits asks {@link #isReady} and {@link #isDone} again
 * and again: so it can see meanwhile that a rank is lost, and {@link #abort}. One thread uses an instance at a time.
 */
public final class DeviceGroup implements AutoCloseable {
    /** How long NCCL may take to end: it may wait for others of this machine, which may be gone. */
    private static final Duration LONGEST_END = Duration.ofSeconds(10);

    private static final long LOOK_NANOS = 100_000;
    private static final int COMMUNICATOR = 0;
    private static final int CONFIG = 8;
    private static final int CONFIG_BYTES = 24;
    private static final int CONFIG_MAGIC = 0xcafebeef;

    private final CudaBackend backend;
    private final Stream stream;
    private final int rank;
    private final int ranks;
    /** Where NCCL puts the communicator's address, and its settings. */
    private final Memory joining = new Memory(CONFIG + CONFIG_BYTES);

    private final long communicator;
    private boolean over;

    private DeviceGroup(CudaBackend backend, byte[] identity, int rank, int ranks) {
        this.backend = backend;
        this.stream = backend.bench.stream();
        this.rank = rank;
        this.ranks = ranks;
        stream.enterContext();
        joining.clear();
        // ncclConfig_t as of NCCL 2.14, which later ones read too: its size, a mark, the version, and that no call
        // blocks.
        joining.setLong(CONFIG, CONFIG_BYTES);
        joining.setInt(CONFIG + 8, CONFIG_MAGIC);
        joining.setInt(CONFIG + 12, NcclApi.OLDEST);
        joining.setInt(CONFIG + 16, 0);
        NcclApi.Identity value = new NcclApi.Identity();
        System.arraycopy(identity, 0, value.internal, 0, value.internal.length);
        long address = Pointer.nativeValue(joining);
        int result = NcclApi.ncclCommInitRankConfig(address + COMMUNICATOR, ranks, value, rank, address + CONFIG);
        communicator = joining.getLong(COMMUNICATOR);
        requireBegun(result, "ncclCommInitRankConfig");
    }

    /** Why NCCL cannot be called here, in one clause; empty when it can. */
    public static Optional<String> unusableBecause() {
        return Libraries.ncclMissing();
    }

    /** Whether tensors of {@code backend} lie on a GPU that can be in a group. */
    public static boolean drives(Backend backend) {
        return backend instanceof CudaBackend;
    }

    /** What one rank makes for all of them to {@link #join} by. */
    public static byte[] newIdentity() {
        byte[] identity = new byte[NcclApi.IDENTITY_BYTES];
        Calls.nccl(NcclApi.ncclGetUniqueId(identity), "ncclGetUniqueId", 0);
        return identity;
    }

    /**
     * Begins to join: it is done when {@link #isReady}.
     *
     * @param backend one that {@link #drives} says yes to
     * @param identity the same on all ranks, made by one of them
     * @param ranks how many there are
     */
    public static DeviceGroup join(Backend backend, byte[] identity, int rank, int ranks) {
        return new DeviceGroup((CudaBackend) backend, identity, rank, ranks);
    }

    /** Where the tensors lie that it moves. */
    public Backend backend() {
        return backend;
    }

    /** Begins all that {@code moves} asks for at once, so that none of them waits for another. */
    public void together(Runnable moves) {
        requireAlive();
        stream.enterContext();
        requireBegun(NcclApi.ncclGroupStart(), "ncclGroupStart");
        int result;
        try {
            moves.run();
        } finally {
            result = NcclApi.ncclGroupEnd();
        }
        requireBegun(result, "ncclGroupEnd");
    }

    /** Within {@link #together}: sends a contiguous tensor, which that rank receives at the same time. */
    public void send(Tensor tensor, int to) {
        requireBegun(
                NcclApi.ncclSend(address(tensor), bytes(tensor), NcclApi.BYTE, to, communicator, stream.handle()),
                "ncclSend");
    }

    /** Within {@link #together}: receives a contiguous tensor, which that rank sends at the same time. */
    public void receive(Tensor tensor, int from) {
        requireBegun(
                NcclApi.ncclRecv(address(tensor), bytes(tensor), NcclApi.BYTE, from, communicator, stream.handle()),
                "ncclRecv");
    }

    /** Within {@link #together}: gives the tensor of rank {@code root} to all. */
    public void broadcast(Tensor tensor, int root) {
        long address = address(tensor);
        requireBegun(
                NcclApi.ncclBroadcast(
                        address, address, bytes(tensor), NcclApi.BYTE, root, communicator, stream.handle()),
                "ncclBroadcast");
    }

    /** Within {@link #together}: a tensor has a part for each rank, of equal sizes; each rank's own is given to all. */
    public void gather(Tensor whole) {
        long address = address(whole);
        long part = bytes(whole) / ranks;
        requireBegun(
                NcclApi.ncclAllGather(
                        address + rank * part, address, part, NcclApi.BYTE, communicator, stream.handle()),
                "ncclAllGather");
    }

    private static long address(Tensor tensor) {
        return Matrix.of(tensor.requireContiguous()).address();
    }

    private static long bytes(Tensor tensor) {
        return tensor.elements() * tensor.type().bytes();
    }

    /**
     * Whether all ranks have joined and all that was begun is on the stream, before other work of the stream that follows.
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind RETRYABLE where NCCL has failed since
     */
    public boolean isReady() {
        requireAlive();
        int[] state = new int[1];
        Calls.nccl(NcclApi.ncclCommGetAsyncError(communicator, state), "ncclCommGetAsyncError", communicator);
        requireBegun(state[0], "an operation of the group");
        return state[0] == NcclApi.SUCCESS;
    }

    /** Whether the device is through with all that was begun. */
    public boolean isDone() {
        return isReady() && stream.isIdle();
    }

    private void requireBegun(int result, String call) {
        if (result != NcclApi.IN_PROGRESS) {
            Calls.nccl(result, call, communicator);
        }
    }

    private void requireAlive() {
        if (over) {
            throw new IllegalStateException("the group of GPUs has ended");
        }
    }

    /** Leaves a group whose operations are done, or have not begun. */
    @Override
    public void close() {
        end(this::leave);
    }

    /** Leaves a group that has failed: what is under way ends, on the device too, and what its tensors hold is not known. */
    public void abort() {
        end(() -> NcclApi.ncclCommAbort(communicator));
    }

    private void leave() {
        int[] state = {NcclApi.ncclCommFinalize(communicator)};
        while (state[0] == NcclApi.IN_PROGRESS) {
            LockSupport.parkNanos(LOOK_NANOS);
            NcclApi.ncclCommGetAsyncError(communicator, state);
        }
        NcclApi.ncclCommDestroy(communicator);
    }

    private void end(Runnable way) {
        if (over) {
            return;
        }
        over = true;
        Thread ending = new Thread(
                () -> {
                    stream.enterContext();
                    way.run();
                },
                "rlhf4j-nccl-end");
        ending.setDaemon(true);
        ending.start();
        try {
            ending.join(LONGEST_END.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        if (ending.isAlive()) {
            System.getLogger(DeviceGroup.class.getName())
                    .log(System.Logger.Level.WARNING, "NCCL has not ended its group after {0}", LONGEST_END);
        }
    }
}
