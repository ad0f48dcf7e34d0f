package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.TokenGradient;
import java.util.Arrays;

/**
 * Log-probabilities of tokens and their gradient, some rows of logits at a time: logits are computed into one buffer,
 * reduced to numbers, turned into their own gradient, and used up before the next rows come.
 */
final class LanguageHeadRows {
    private static final String FILE = "head";
    /** Logits held at once: 512 MiB. */
    private static final int LOGITS_OF_CHUNK = 1 << 27;

    private static final int MOST_ROWS = 4096;
    private static final int ROW_STEP = 64;
    private static final int ROW_THREADS = 512;

    private final Workbench bench;
    private final Stream stream;
    private final Transfers transfers;
    private final MatrixProducts products;
    private final LinearLayers linearLayers;

    LanguageHeadRows(Workbench bench, Transfers transfers, MatrixProducts products, LinearLayers linearLayers) {
        this.bench = bench;
        this.stream = bench.stream();
        this.transfers = transfers;
        this.products = products;
        this.linearLayers = linearLayers;
    }

    /** Where the gradients go; null: not wanted. */
    record Gradients(TokenGradient of, Matrix dHidden, Matrix dWeight, Matrix dBias) {}

    void logits(LanguageHead head, Matrix hidden, Matrix logits) {
        linearLayers.linear(hidden, head.weight(), Matrix.ofNullable(head.bias()), null, null, logits);
        if (head.softcap() > 0f || head.temperature() != 1f) {
            stream.pass(logits.address())
                    .pass(Math.max(0f, head.softcap()))
                    .pass(head.temperature())
                    .pass(logits.elements())
                    .pass(Matrix.flags(logits))
                    .launch(
                            bench.kernels().get(FILE, "capLogits"),
                            Kernel.blocksOfParts(1, logits.elements()),
                            Kernel.THREADS);
        }
    }

    /** @param gradients null for the log-probabilities alone */
    void logProbs(
            LanguageHead head, Matrix hidden, int[] targets, float[] logProbs, float[] entropies, Gradients gradients) {
        int rows = hidden.rows();
        int vocabulary = head.weight().rows();
        if (rows == 0) {
            return;
        }
        int chunk = chunkRows(rows, vocabulary);
        boolean narrow = gradients != null && hidden.isBf16();
        long cells = (long) chunk * vocabulary;
        try (DeviceMemory logitMemory = bench.memories().allocate(Float.BYTES * cells);
                DeviceMemory slopeMemory = bench.memories().allocate(narrow ? DType.BF16.bytes() * cells : 1);
                DeviceMemory known = bench.memories().allocate(3L * Float.BYTES * chunk)) {
            for (int from = 0; from < rows; from += chunk) {
                int count = Math.min(chunk, rows - from);
                int[] own = Arrays.copyOfRange(targets, from, from + count);
                Matrix part = hidden.slice(from, from + count);
                Matrix logits = Matrix.in(logitMemory, DType.FP32, count, vocabulary);
                logits(head, part, logits);
                float[] numbers = statistics(logits, own, known);
                System.arraycopy(numbers, 0, logProbs, from, count);
                if (entropies != null) {
                    System.arraycopy(numbers, count, entropies, from, count);
                }
                if (gradients != null) {
                    Matrix slopes = narrow ? Matrix.in(slopeMemory, DType.BF16, count, vocabulary) : logits;
                    differentiate(head, logits, slopes, own, known, numbers, from, gradients.of);
                    passOn(head, part, slopes, from, gradients);
                }
            }
        }
    }

    /** About equal chunks of whole tiles. */
    private static int chunkRows(int rows, int vocabulary) {
        int most = Math.max(ROW_STEP, Math.min(MOST_ROWS, LOGITS_OF_CHUNK / vocabulary / ROW_STEP * ROW_STEP));
        int chunks = (rows + most - 1) / most;
        int even = (rows + chunks - 1) / chunks;
        return chunks == 1 ? rows : (even + ROW_STEP - 1) / ROW_STEP * ROW_STEP;
    }

    /** Log-probabilities, entropies and log-sums of all rows, one after the other; they stay in {@code known} too. */
    private float[] statistics(Matrix logits, int[] targets, DeviceMemory known) {
        int rows = logits.rows();
        stream.pass(logits.address())
                .pass((long) logits.columns())
                .pass(bench.uploads().send(targets))
                .pass(known.address())
                .pass(known.address() + (long) Float.BYTES * rows)
                .pass(known.address() + 2L * Float.BYTES * rows)
                .launch(bench.kernels().get(FILE, "rowStatistics"), rows, ROW_THREADS);
        float[] numbers = new float[3 * rows];
        bench.staging().receive(known.address(), numbers, 0, numbers.length);
        return numbers;
    }

    /** Asks the loss for its derivatives, row by row, in order. */
    private void differentiate(
            LanguageHead head,
            Matrix logits,
            Matrix slopes,
            int[] targets,
            DeviceMemory known,
            float[] numbers,
            int from,
            TokenGradient gradient) {
        int rows = logits.rows();
        float[] ofLogProb = new float[rows];
        float[] ofEntropy = new float[rows];
        for (int i = 0; i < rows; i++) {
            ofLogProb[i] = gradient.ofLogProb(from + i, numbers[i], numbers[rows + i]);
            ofEntropy[i] = gradient.ofEntropy(from + i, numbers[i], numbers[rows + i]);
        }
        stream.pass(logits.address())
                .pass(slopes.address())
                .pass((long) rows)
                .pass((long) logits.columns())
                .pass(bench.uploads().send(targets))
                .pass(known.address() + (long) Float.BYTES * rows)
                .pass(known.address() + 2L * Float.BYTES * rows)
                .pass(bench.uploads().send(ofLogProb))
                .pass(bench.uploads().send(ofEntropy))
                .pass(head.softcap() > 0f ? head.softcap() / head.temperature() : 0f)
                .pass(head.temperature())
                .pass(Matrix.flags(slopes) & Matrix.flags(slopes, logits))
                .launch(
                        bench.kernels().get(FILE, "logitSlopes"),
                        Kernel.blocksOfParts(rows, logits.columns()),
                        Kernel.THREADS);
    }

    private void passOn(LanguageHead head, Matrix hidden, Matrix slopes, int from, Gradients gradients) {
        Matrix dHidden = gradients.dHidden.slice(from, from + hidden.rows());
        products.multiply(slopes, false, Matrix.of(head.weight()), false, dHidden, false);
        if (gradients.dWeight != null) {
            products.multiply(slopes, true, hidden, false, gradients.dWeight, true);
        }
        if (gradients.dBias != null) {
            transfers.addColumnSums(slopes, gradients.dBias);
        }
    }
}
