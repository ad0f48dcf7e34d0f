package io.rlhf4j.backend.cuda;

import com.sun.jna.Structure;

/** The calls into NCCL under their own names. Communicators are longs. */
final class NcclApi {
    static final int SUCCESS = 0;
    /** What was begun goes on behind the call. */
    static final int IN_PROGRESS = 7;

    /** Tensors are moved as bytes. */
    static final int BYTE = 1;

    static final int IDENTITY_BYTES = 128;

    /** 2.14, the first whose calls may return before the other ranks have come. */
    static final int OLDEST = 2_14_00;

    private NcclApi() {}

    /** The type {@code ncclUniqueId}, which is passed by value. */
    @Structure.FieldOrder("internal")
    public static final class Identity extends Structure implements Structure.ByValue {
        public byte[] internal = new byte[IDENTITY_BYTES];
    }

    static native int ncclGetVersion(int[] version);

    static native int ncclGetUniqueId(byte[] identity);

    /**
     * Begins to join.
     *
     * @param communicator address of the one to come, which may be written until all ranks have come
     * @param config address of the settings
     */
    static native int ncclCommInitRankConfig(long communicator, int ranks, Identity identity, int rank, long config);

    static native int ncclCommGetAsyncError(long communicator, int[] result);

    static native int ncclCommFinalize(long communicator);

    static native int ncclCommDestroy(long communicator);

    static native int ncclCommAbort(long communicator);

    static native int ncclGroupStart();

    static native int ncclGroupEnd();

    static native int ncclSend(long source, long count, int type, int peer, long communicator, long stream);

    static native int ncclRecv(long target, long count, int type, int peer, long communicator, long stream);

    static native int ncclBroadcast(
            long source, long target, long count, int type, int root, long communicator, long stream);

    static native int ncclAllGather(long source, long target, long count, int type, long communicator, long stream);

    /** Address of a text. */
    static native long ncclGetErrorString(int result);

    /** Address of a text. */
    static native long ncclGetLastError(long communicator);
}
