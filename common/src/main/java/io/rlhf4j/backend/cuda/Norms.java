package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.DType;

/** Layer norm and RMS norm: the first has a bias and a mean, the second an offset of its weight. */
final class Norms {
    private static final String FILE = "norms";
    private static final int CENTERED = 0x200;
    private static final int ELEMENTS = 8;
    private static final int MOST_THREADS = 1024;

    private final Workbench bench;
    private final Stream stream;
    private final Transfers transfers;

    Norms(Workbench bench, Transfers transfers) {
        this.bench = bench;
        this.stream = bench.stream();
        this.transfers = transfers;
    }

    /** Layer norm where {@code centered}. */
    void forward(
            boolean centered,
            Matrix x,
            Matrix weight,
            Matrix bias,
            float weightOffset,
            float epsilon,
            Matrix out,
            Matrix statistics) {
        stream.pass(x.address())
                .pass(x.stride())
                .pass(weight.address())
                .pass(Matrix.address(bias))
                .pass(weightOffset)
                .pass(epsilon)
                .pass(out.address())
                .pass(out.stride())
                .pass(statistics.address())
                .pass(x.columns())
                .pass(Matrix.flags(x, weight, bias, out) | (centered ? CENTERED : 0))
                .launch(bench.kernels().get(FILE, "normForward"), x.rows(), threads(x.columns()));
    }

    /** Adds to {@code dWeight} and {@code dBias}, where they are there. */
    void backward(
            boolean centered,
            Matrix dy,
            Matrix x,
            Matrix weight,
            float weightOffset,
            Matrix statistics,
            Matrix dx,
            Matrix dWeight,
            Matrix dBias) {
        if (dWeight != null || dBias != null) {
            // First: dx may lie where dy does.
            weights(centered, dy, x, statistics, dWeight, dBias);
        }
        stream.pass(dy.address())
                .pass(dy.stride())
                .pass(x.address())
                .pass(x.stride())
                .pass(weight.address())
                .pass(weightOffset)
                .pass(statistics.address())
                .pass(dx.address())
                .pass(dx.stride())
                .pass(x.columns())
                .pass(Matrix.flags(dy, x, weight, dx) | (centered ? CENTERED : 0))
                .launch(bench.kernels().get(FILE, "normBackward"), x.rows(), threads(x.columns()));
    }

    private void weights(boolean centered, Matrix dy, Matrix x, Matrix statistics, Matrix dWeight, Matrix dBias) {
        int chunks = (x.rows() + Transfers.ROWS_OF_CHUNK - 1) / Transfers.ROWS_OF_CHUNK;
        if (chunks == 0) {
            return;
        }
        try (DeviceMemory weightMemory = bench.memories().allocate(4L * chunks * x.columns());
                DeviceMemory biasMemory = bench.memories().allocate(4L * chunks * x.columns())) {
            Matrix ofWeight = Matrix.in(weightMemory, DType.FP32, chunks, x.columns());
            Matrix ofBias = dBias == null ? null : Matrix.in(biasMemory, DType.FP32, chunks, x.columns());
            stream.pass(dy.address())
                    .pass(dy.stride())
                    .pass(x.address())
                    .pass(x.stride())
                    .pass(statistics.address())
                    .pass((long) x.rows())
                    .pass((long) x.columns())
                    .pass(Transfers.ROWS_OF_CHUNK)
                    .pass(ofWeight.address())
                    .pass(Matrix.address(ofBias))
                    .pass(Matrix.flags(dy, x) | (centered ? CENTERED : 0))
                    .launch(
                            bench.kernels().get(FILE, "normWeightPartials"),
                            Kernel.blocksOfParts(chunks, x.columns()),
                            Kernel.THREADS);
            if (dWeight != null) {
                transfers.addPartials(ofWeight, dWeight);
            }
            if (dBias != null) {
                transfers.addPartials(ofBias, dBias);
            }
        }
    }

    /** Whole warps, each thread with eight columns at a time. */
    private static int threads(int columns) {
        int wanted = (columns + ELEMENTS - 1) / ELEMENTS;
        return Math.min(MOST_THREADS, Math.max(1, (wanted + 31) / 32) * 32);
    }
}
