package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.LanguageHead;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.tensor.TokenGradient;

/**
 * Log-probabilities of tokens and their gradient, a few hundred rows of logits at a time: logits are computed into one
 * buffer, reduced to numbers, turned into their own gradient in place, and used up before the next rows come.
 */
final class LanguageHeadKernel {
    /** Logits of a chunk at most: 128 MiB. */
    private static final int LOGITS_PER_CHUNK = 1 << 25;

    private static final int MOST_ROWS = 512;
    private static final int ROW_STEP = 16;
    private static final int FEW_ROWS = 64;

    private final Backend backend;
    private final WorkerPool workers;
    private final MemoryPool memories;
    private final MatrixProducts products;
    private final Transfers transfers;

    LanguageHeadKernel(
            Backend backend, WorkerPool workers, MemoryPool memories, MatrixProducts products, Transfers transfers) {
        this.backend = backend;
        this.workers = workers;
        this.memories = memories;
        this.products = products;
        this.transfers = transfers;
    }

    void logits(LanguageHead head, Tensor hidden, Tensor logits) {
        products.multiply(hidden, false, head.weight(), true, head.bias(), logits, false);
        if (plain(head)) {
            return;
        }
        Rows rows = Rows.of(logits);
        int vocabulary = logits.columns();
        workers.forRanges(rows.count, 1, (from, to, workspace) -> {
            for (int row = from; row < to; row++) {
                Span span = workspace.update(0, rows, row, 0, vocabulary);
                LogitKernels.cap(span.memory, span.offset, head.softcap(), head.temperature(), vocabulary);
                span.finish();
            }
        });
    }

    private static boolean plain(LanguageHead head) {
        return head.softcap() <= 0f && head.temperature() == 1f;
    }

    void logProbs(LanguageHead head, Tensor hidden, int[] targets, float[] logProbs, float[] entropies) {
        run(head, hidden, targets, null, logProbs, entropies, null, null, null);
    }

    void logProbsWithGradient(
            LanguageHead head,
            Tensor hidden,
            int[] targets,
            TokenGradient gradient,
            float[] logProbs,
            float[] entropies,
            Tensor dHidden,
            Tensor dWeight,
            Tensor dBias) {
        run(head, hidden, targets, gradient, logProbs, entropies, dHidden, dWeight, dBias);
    }

    private void run(
            LanguageHead head,
            Tensor hidden,
            int[] targets,
            TokenGradient gradient,
            float[] logProbs,
            float[] entropies,
            Tensor dHidden,
            Tensor dWeight,
            Tensor dBias) {
        int rows = hidden.rows();
        int whole = rows < FEW_ROWS ? rows : roundedUp(rows);
        if (whole == rows) {
            chunks(head, hidden, targets, gradient, logProbs, entropies, dHidden, dWeight, dBias);
            return;
        }
        // Products of whole tiles are several times faster than others: rows of zeros fill the last one.
        int width = hidden.columns();
        NativeMemory filledMemory = memories.allocate((long) hidden.type().bytes() * whole * width);
        NativeMemory slopeMemory = memories.allocate(gradient == null ? 1 : 4L * whole * width);
        try {
            Tensor filled = Tensor.of(backend, filledMemory, hidden.type(), 0, whole, width);
            transfers.copy(hidden, filled.slice(0, rows));
            transfers.fill(filled.slice(rows, whole), 0f);
            Tensor slopes = gradient == null ? null : Tensor.of(backend, slopeMemory, dHidden.type(), 0, whole, width);
            chunks(head, filled, targets, gradient, logProbs, entropies, slopes, dWeight, dBias);
            if (gradient != null) {
                transfers.copy(slopes.slice(0, rows), dHidden);
            }
        } finally {
            filledMemory.free();
            slopeMemory.free();
        }
    }

    /** Takes as many rows as {@code targets} names; those of {@code hidden} beyond are zeros and count for nothing. */
    private void chunks(
            LanguageHead head,
            Tensor hidden,
            int[] targets,
            TokenGradient gradient,
            float[] logProbs,
            float[] entropies,
            Tensor dHidden,
            Tensor dWeight,
            Tensor dBias) {
        int vocabulary = head.weight().rows();
        int rows = hidden.rows();
        int chunk = chunkRows(rows, vocabulary);
        DType type = products.productType(hidden.type(), head.weight().type());
        boolean narrow = gradient != null && type == DType.BF16;
        long cells = (long) Math.max(1, chunk) * vocabulary;
        NativeMemory logitMemory = memories.allocate(4 * cells);
        NativeMemory narrowMemory = memories.allocate(narrow ? 2 * cells : 2);
        try {
            for (int from = 0; from < rows; from += chunk) {
                int count = Math.min(chunk, rows - from);
                int asked = Math.min(count, targets.length - from);
                Tensor part = hidden.slice(from, from + count);
                Tensor logits = Tensor.of(backend, logitMemory, DType.FP32, 0, count, vocabulary);
                logits(head, part, logits);
                TokenRow[] known = reduce(logits.slice(0, asked), targets, from, gradient != null || entropies != null);
                report(known, from, logProbs, entropies);
                if (gradient != null) {
                    Tensor dLogits =
                            narrow ? Tensor.of(backend, narrowMemory, DType.BF16, 0, count, vocabulary) : logits;
                    differentiate(head, logits, dLogits, known, from, targets, gradient);
                    if (asked < count) {
                        transfers.fill(dLogits.slice(asked, count), 0f);
                    }
                    products.multiply(
                            dLogits, false, head.weight(), false, null, dHidden.slice(from, from + count), false);
                    if (dWeight != null) {
                        products.multiply(dLogits, true, part, false, null, dWeight, true);
                    }
                    if (dBias != null) {
                        transfers.addColumnSums(dLogits, dBias);
                    }
                }
            }
        } finally {
            logitMemory.free();
            narrowMemory.free();
        }
    }

    /** About equal chunks of whole tiles. */
    private static int chunkRows(int rows, int vocabulary) {
        int most = Math.max(ROW_STEP, Math.min(MOST_ROWS, LOGITS_PER_CHUNK / vocabulary / ROW_STEP * ROW_STEP));
        if (rows <= most) {
            return rows;
        }
        int chunks = (rows + most - 1) / most;
        return roundedUp((rows + chunks - 1) / chunks);
    }

    private static int roundedUp(int rows) {
        return (rows + ROW_STEP - 1) / ROW_STEP * ROW_STEP;
    }

    /** What is known of one row of logits. */
    private record TokenRow(float logProb, float entropy, float logSumExp) {}

    private TokenRow[] reduce(Tensor logits, int[] targets, int from, boolean entropies) {
        Rows rows = Rows.of(logits);
        int vocabulary = logits.columns();
        TokenRow[] known = new TokenRow[rows.count];
        workers.run(rows.count, (row, workspace) -> {
            Span span = workspace.input(0, rows, row, 0, vocabulary);
            float largest = LogitKernels.largest(span.memory, span.offset, vocabulary);
            double sum;
            double weighted = 0;
            if (entropies) {
                float[] sums = LogitKernels.sums(span.memory, span.offset, largest, vocabulary);
                sum = sums[0];
                weighted = sums[1];
            } else {
                sum = LogitKernels.sum(span.memory, span.offset, largest, vocabulary);
            }
            double log = StrictMath.log(sum);
            float target = Lanes.get(span.memory, span.offset + 4L * targets[from + row]);
            // weighted is the sum of e^(l - largest) (l - largest): entropy = log sum - its mean.
            known[row] = new TokenRow(
                    (float) ((double) target - largest - log), (float) (log - weighted / sum), (float) (largest + log));
        });
        return known;
    }

    private static void report(TokenRow[] known, int from, float[] logProbs, float[] entropies) {
        for (int i = 0; i < known.length; i++) {
            logProbs[from + i] = known[i].logProb;
            if (entropies != null) {
                entropies[from + i] = known[i].entropy;
            }
        }
    }

    /** Logits to their gradients; the loss is asked row by row, in order, by the calling thread. */
    private void differentiate(
            LanguageHead head,
            Tensor logits,
            Tensor dLogits,
            TokenRow[] known,
            int from,
            int[] targets,
            TokenGradient gradient) {
        float[] ofLogProb = new float[known.length];
        float[] ofEntropy = new float[known.length];
        for (int i = 0; i < known.length; i++) {
            ofLogProb[i] = gradient.ofLogProb(from + i, known[i].logProb, known[i].entropy);
            ofEntropy[i] = gradient.ofEntropy(from + i, known[i].logProb, known[i].entropy);
        }
        Rows source = Rows.of(logits);
        Rows target = Rows.of(dLogits);
        int vocabulary = logits.columns();
        workers.run(known.length, (row, workspace) -> {
            Span in = workspace.input(0, source, row, 0, vocabulary);
            long place = target.byteOffset(row, 0);
            Object out = target.memory.window(place);
            long outAt = NativeMemory.inWindow(place);
            float logit = Lanes.get(in.memory, in.offset + 4L * targets[from + row]);
            LogitKernels.Slopes slopes = new LogitKernels.Slopes(
                    ofLogProb[row],
                    ofEntropy[row],
                    known[row].logSumExp,
                    known[row].entropy,
                    head.softcap() / head.temperature(),
                    head.temperature());
            float atTarget = LogitKernels.slopeAtTarget(slopes, logit);
            if (target.isBf16()) {
                LogitKernels.slopesBf16(slopes, in.memory, in.offset, out, outAt, vocabulary);
                Lanes.setBf16(out, outAt + 2L * targets[from + row], atTarget);
            } else {
                LogitKernels.slopes(slopes, in.memory, in.offset, out, outAt, vocabulary);
                Lanes.set(out, outAt + 4L * targets[from + row], atTarget);
            }
        });
    }
}
