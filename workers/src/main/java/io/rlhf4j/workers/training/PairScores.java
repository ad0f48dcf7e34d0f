package io.rlhf4j.workers.training;

import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.config.RewardModelConfig;
import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.loss.ComparedSpan;
import io.rlhf4j.loss.PairLoss;
import io.rlhf4j.model.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The scores that the loss of some pairs needs, where they are read, and the loss. Pair i owns sequences 2i (chosen) and 2i +
 * 1 (rejected).
 */
abstract sealed class PairScores {
    private final List<ScoredPair> pairs = new ArrayList<>();
    private double loss;

    static PairScores of(List<PreferenceRow> rows, RewardModelConfig settings) {
        return switch (settings.loss()) {
            case LAST_TOKEN -> new AtLastToken(rows, new PairLoss(settings.centering()));
            case PER_TOKEN -> new AtEveryToken(rows);
        };
    }

    /** The packed sequences. */
    abstract TokenBatch batch();

    /** The packed tokens whose scores are asked for. */
    abstract int[] rows();

    /** Derivatives of each pair's loss, and the loss itself by {@link #add}. */
    abstract float[] derivatives(float... scores);

    /**
     * Derivatives of the mean loss of a step with respect to the scores.
     *
     * @param stepPairs pairs of the whole step
     */
    float[] gradient(float[] scores, int stepPairs) {
        pairs.clear();
        loss = 0;
        float[] gradient = derivatives(scores);
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] /= stepPairs;
        }
        loss /= stepPairs;
        return gradient;
    }

    final void add(double pairLoss, PreferenceRow row, float chosen, float rejected) {
        loss += pairLoss;
        pairs.add(new ScoredPair(row.source(), chosen, rejected, row.chosen().length, row.rejected().length));
    }

    /** These pairs' share of the step's mean loss. */
    double loss() {
        return loss;
    }

    /** The pairs with their scores at the last tokens. */
    List<ScoredPair> pairs() {
        return pairs;
    }

    private static final class AtLastToken extends PairScores {
        private final List<PreferenceRow> rows;
        private final PairLoss pairLoss;
        private final TokenBatch batch;

        AtLastToken(List<PreferenceRow> rows, PairLoss pairLoss) {
            this.rows = rows;
            this.pairLoss = pairLoss;
            this.batch = PackedRows.ofPairs(rows);
        }

        @Override
        TokenBatch batch() {
            return batch;
        }

        @Override
        int[] rows() {
            return batch.lastRows();
        }

        @Override
        float[] derivatives(float... scores) {
            float[] derivatives = new float[scores.length];
            for (int i = 0; i < rows.size(); i++) {
                PairLoss.Term term = pairLoss.of(
                        scores[2 * i], scores[2 * i + 1], rows.get(i).margin());
                derivatives[2 * i] = (float) term.chosenDerivative();
                derivatives[2 * i + 1] = (float) term.rejectedDerivative();
                add(term.loss(), rows.get(i), scores[2 * i], scores[2 * i + 1]);
            }
            return derivatives;
        }
    }

    /** DeepSpeed-Chat's loss. The shorter answer goes on with its last token where it is compared beyond its end. */
    private static final class AtEveryToken extends PairScores {
        private final List<PreferenceRow> rows;
        private final List<ComparedSpan> spans = new ArrayList<>();
        private final TokenBatch batch;

        AtEveryToken(List<PreferenceRow> rows) {
            this.rows = rows;
            List<int[]> sequences = new ArrayList<>();
            for (PreferenceRow row : rows) {
                int length = Math.max(row.chosen().length, row.rejected().length);
                spans.add(ComparedSpan.of(row.chosen(), row.rejected(), length));
                sequences.add(lengthened(row.chosen(), length));
                sequences.add(lengthened(row.rejected(), length));
            }
            batch = TokenBatch.of(sequences);
        }

        private static int[] lengthened(int[] ids, int length) {
            int[] longer = Arrays.copyOf(ids, length);
            Arrays.fill(longer, ids.length, length, ids[ids.length - 1]);
            return longer;
        }

        @Override
        TokenBatch batch() {
            return batch;
        }

        @Override
        int[] rows() {
            int[] all = new int[batch.tokens()];
            Arrays.setAll(all, i -> i);
            return all;
        }

        @Override
        float[] derivatives(float... scores) {
            float[] derivatives = new float[scores.length];
            for (int i = 0; i < rows.size(); i++) {
                ComparedSpan span = spans.get(i);
                int chosen = batch.starts()[2 * i];
                int rejected = batch.starts()[2 * i + 1];
                double[] chosenScores = new double[span.length()];
                double[] rejectedScores = new double[span.length()];
                for (int t = 0; t < span.length(); t++) {
                    chosenScores[t] = scores[chosen + span.from() + t];
                    rejectedScores[t] = scores[rejected + span.from() + t];
                }
                double[] chosenSlopes = new double[span.length()];
                double[] rejectedSlopes = new double[span.length()];
                double pairLoss = PairLoss.perToken(chosenScores, rejectedScores, chosenSlopes, rejectedSlopes);
                for (int t = 0; t < span.length(); t++) {
                    derivatives[chosen + span.from() + t] = (float) chosenSlopes[t];
                    derivatives[rejected + span.from() + t] = (float) rejectedSlopes[t];
                }
                PreferenceRow row = rows.get(i);
                add(
                        pairLoss,
                        row,
                        scores[chosen + row.chosen().length - 1],
                        scores[rejected + row.rejected().length - 1]);
            }
            return derivatives;
        }
    }
}
