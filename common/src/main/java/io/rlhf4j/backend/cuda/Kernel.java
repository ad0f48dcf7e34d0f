package io.rlhf4j.backend.cuda;

/**
 * A kernel on a device.
 *
 * @param name as its source has it
 * @param function the driver's handle
 */
record Kernel(String name, long function) {
    /** Threads of a block, where nothing speaks for another number. */
    static final int THREADS = 256;

    /** Elements of a row that a thread takes. */
    private static final int ELEMENTS = 8;

    /** Blocks in which each thread takes eight columns of a row. */
    static long blocksOfParts(long rows, long columns) {
        return blocks(rows * ((columns + ELEMENTS - 1) / ELEMENTS));
    }

    /** Blocks of so many threads. */
    static long blocks(long threads) {
        return (threads + THREADS - 1) / THREADS;
    }
}
