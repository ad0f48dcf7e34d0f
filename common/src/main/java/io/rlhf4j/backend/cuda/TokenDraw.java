package io.rlhf4j.backend.cuda;

/** Draws tokens from the softmax of rows of logits, where these lie: a few numbers come to the host. */
final class TokenDraw {
    private static final int THREADS = 1024;

    private final Workbench bench;

    TokenDraw(Workbench bench) {
        this.bench = bench;
    }

    void draw(Matrix logits, float temperature, int[] rows, double[] uniforms, int[] tokens, float[] logProbs) {
        int draws = rows.length;
        if (draws == 0) {
            return;
        }
        try (DeviceMemory results = bench.memories().allocate(2L * Integer.BYTES * draws)) {
            bench.stream()
                    .pass(logits.address())
                    .pass(logits.stride())
                    .pass(logits.columns())
                    .pass(temperature)
                    .pass(bench.uploads().send(rows))
                    .pass(bench.uploads().send(uniforms))
                    .pass(results.address())
                    .pass(results.address() + (long) Integer.BYTES * draws)
                    .launch(bench.kernels().get("head", "drawTokens"), draws, THREADS);
            int[] both = new int[2 * draws];
            bench.staging().receive(results.address(), both);
            for (int i = 0; i < draws; i++) {
                tokens[i] = both[i];
                logProbs[i] = Float.intBitsToFloat(both[draws + i]);
            }
        }
    }
}
