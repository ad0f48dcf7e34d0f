package io.rlhf4j.sampling;

import java.util.Arrays;
import java.util.BitSet;

/** One change of a row of scores before the softmax; a score of minus infinity removes its token. */
public sealed interface LogitsProcessor {
    /** Changes {@code scores} in place. */
    void process(double[] scores, TokenHistory history);

    /** Scores of tokens seen are multiplied by the penalty where negative, divided by it where positive (Keskar et al. 2019). */
    record RepetitionPenalty(double penalty) implements LogitsProcessor {
        @Override
        public void process(double[] scores, TokenHistory history) {
            BitSet seen = new BitSet(scores.length);
            for (int i = 0; i < history.length(); i++) {
                int id = history.get(i);
                if (!seen.get(id)) {
                    seen.set(id);
                    scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
                }
            }
        }
    }

    /** No n tokens occur in the same order twice. */
    record NoRepeatNgram(int n) implements LogitsProcessor {
        @Override
        public void process(double[] scores, TokenHistory history) {
            int tail = history.length() - (n - 1);
            for (int start = 0; start < tail; start++) {
                boolean same = true;
                for (int i = 0; i < n - 1 && same; i++) {
                    same = history.get(start + i) == history.get(tail + i);
                }
                if (same && start + n - 1 < history.length()) {
                    scores[history.get(start + n - 1)] = Double.NEGATIVE_INFINITY;
                }
            }
        }
    }

    /** The sample does not end before it has this many tokens. */
    record MinimumNewTokens(int minimum, int[] eosIds) implements LogitsProcessor {
        @Override
        public void process(double[] scores, TokenHistory history) {
            if (history.newTokens() < minimum) {
                for (int id : eosIds) {
                    scores[id] = Double.NEGATIVE_INFINITY;
                }
            }
        }
    }

    /** Divides every score. */
    record Temperature(double temperature) implements LogitsProcessor {
        @Override
        public void process(double[] scores, TokenHistory history) {
            for (int i = 0; i < scores.length; i++) {
                scores[i] /= temperature;
            }
        }
    }

    /** Keeps the k highest scores, and those equal to the lowest of them (Fan et al. 2018). */
    record TopK(int k) implements LogitsProcessor {
        @Override
        public void process(double[] scores, TokenHistory history) {
            if (k < scores.length) {
                remove(scores, lowestOfHighest(scores));
            }
        }

        /** The k-th highest score: of twice as many at a time the higher half goes on. */
        private double lowestOfHighest(double... scores) {
            double[] highest = new double[Math.min(2 * k, scores.length)];
            int count = 0;
            double bound = Double.NEGATIVE_INFINITY;
            for (double score : scores) {
                if (count < k || score > bound) {
                    highest[count++] = score;
                }
                if (count == highest.length) {
                    Arrays.sort(highest);
                    System.arraycopy(highest, count - k, highest, 0, k);
                    count = k;
                    bound = highest[0];
                }
            }
            Arrays.sort(highest, 0, count);
            return highest[count - k];
        }
    }

    /** Keeps the most probable tokens that hold p of the probability (Holtzman et al. 2020). */
    record TopP(double p) implements LogitsProcessor {
        @Override
        public void process(double[] scores, TokenHistory history) {
            double largest = Arrays.stream(scores).max().orElseThrow();
            double[] shares = new double[scores.length];
            double sum = 0;
            for (int i = 0; i < scores.length; i++) {
                shares[i] = Math.exp(scores[i] - largest);
                sum += shares[i];
            }
            // Tokens that together cannot hold what may be removed are removed without being put in order.
            double sure = (1 - p) * sum / scores.length;
            double removed = 0;
            double[] others = new double[scores.length];
            int count = 0;
            for (int i = 0; i < scores.length; i++) {
                if (shares[i] < sure) {
                    removed += shares[i];
                } else {
                    others[count++] = scores[i];
                }
            }
            Arrays.sort(others, 0, count);
            int lowest = 0;
            while (lowest < count - 1) {
                removed += Math.exp(others[lowest] - largest);
                if (removed > (1 - p) * sum) {
                    break;
                }
                lowest++;
            }
            remove(scores, others[lowest]);
        }
    }

    /** Keeps tokens that are at least this share as probable as the most probable one. */
    record MinP(double share) implements LogitsProcessor {
        @Override
        public void process(double[] scores, TokenHistory history) {
            remove(scores, Arrays.stream(scores).max().orElseThrow() + Math.log(share));
        }
    }

    private static void remove(double[] scores, double below) {
        for (int i = 0; i < scores.length; i++) {
            if (scores[i] < below) {
                scores[i] = Double.NEGATIVE_INFINITY;
            }
        }
    }
}
