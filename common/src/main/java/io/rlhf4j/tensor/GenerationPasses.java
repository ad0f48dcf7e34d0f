package io.rlhf4j.tensor;

/** How the passes of generation are best run on a backend. */
public interface GenerationPasses {
    /**
     * A pass that will be run many times: the same operations on the same tensors, of which only host arrays (indices,
     * lengths, blocks) hold something else each time. A backend may record what its operations start, and start that again
     * without running {@code pass}.
     *
     * @param pass takes memory only from scopes that it closes; the host arrays that it hands to operations are the same
     *     objects, of the same lengths, every time; it writes no weights and brings no numbers back
     */
    default RepeatedPass repeated(Runnable pass) {
        return new RepeatedPass() {
            @Override
            public void run() {
                pass.run();
            }

            @Override
            public void close() {}
        };
    }

    /** How many rows a {@link #repeated} pass for {@code rows} rows best has: as many, or more where it is recorded for each number. */
    default int rowsOfRepeated(int rows) {
        return rows;
    }

    /** Tokens of prompts that a pass of generation best has where no answer waits for it. */
    default int promptTokensAtOnce() {
        return 512;
    }
}
