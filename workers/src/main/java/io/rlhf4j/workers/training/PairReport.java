package io.rlhf4j.workers.training;

import io.rlhf4j.loss.PairLoss;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How well a reward model tells preferred answers from others. */
final class PairReport {
    private static final int CALIBRATION_BINS = 10;

    private PairReport() {}

    private record Labelled(double score, boolean chosen) {}

    static Map<String, Double> of(List<ScoredPair> pairs, PairLoss loss) {
        Map<String, Double> metrics = new TreeMap<>();
        metrics.put("accuracy", accuracy(pairs));
        metrics.put(
                "score_gap",
                pairs.stream().mapToDouble(ScoredPair::gap).average().orElse(Double.NaN));
        metrics.put(
                "loss",
                pairs.stream()
                        .mapToDouble(pair ->
                                loss.of(pair.chosen(), pair.rejected(), 0).loss())
                        .average()
                        .orElse(Double.NaN));
        metrics.put("roc_auc", areaUnderCurve(pairs));
        metrics.put("calibration_error", calibrationError(pairs));
        metrics.put("length_correlation", lengthCorrelation(pairs));
        Map<String, List<ScoredPair>> bySource =
                pairs.stream().collect(Collectors.groupingBy(ScoredPair::source, TreeMap::new, Collectors.toList()));
        if (bySource.size() > 1) {
            bySource.forEach((source, rows) -> metrics.put("accuracy/" + source, accuracy(rows)));
        }
        return metrics;
    }

    private static double accuracy(List<ScoredPair> pairs) {
        return pairs.stream()
                .mapToDouble(pair -> pair.right() ? 1 : 0)
                .average()
                .orElse(Double.NaN);
    }

    /** Probability that a preferred answer of any pair scores above a rejected one of any pair (Mann and Whitney 1947). */
    private static double areaUnderCurve(List<ScoredPair> pairs) {
        List<Labelled> all = new ArrayList<>();
        for (ScoredPair pair : pairs) {
            all.add(new Labelled(pair.chosen(), true));
            all.add(new Labelled(pair.rejected(), false));
        }
        all.sort(Comparator.comparingDouble(Labelled::score));
        double ranks = 0;
        for (int i = 0; i < all.size(); ) {
            int end = i;
            while (end < all.size() && all.get(end).score() == all.get(i).score()) {
                end++;
            }
            double sharedRank = (i + 1 + end) / 2.0;
            for (int j = i; j < end; j++) {
                ranks += all.get(j).chosen() ? sharedRank : 0;
            }
            i = end;
        }
        double count = pairs.size();
        return (ranks - count * (count + 1) / 2) / (count * count);
    }

    /** Expected calibration error of sigmoid(gap) as the probability that the first answer is preferred (Guo et al. 2017). */
    private static double calibrationError(List<ScoredPair> pairs) {
        double[] confidence = new double[CALIBRATION_BINS];
        double[] right = new double[CALIBRATION_BINS];
        for (ScoredPair pair : pairs) {
            double probability = 1 / (1 + Math.exp(-Math.abs(pair.gap())));
            int bin = Math.min(CALIBRATION_BINS - 1, (int) ((probability - 0.5) * 2 * CALIBRATION_BINS));
            confidence[bin] += probability;
            right[bin] += pair.right() ? 1 : 0;
        }
        double error = 0;
        for (int bin = 0; bin < CALIBRATION_BINS; bin++) {
            error += Math.abs(confidence[bin] - right[bin]) / pairs.size();
        }
        return error;
    }

    /** Pearson's correlation of a text's score with its length; NaN where either does not vary. */
    private static double lengthCorrelation(List<ScoredPair> pairs) {
        double n = 2.0 * pairs.size();
        double x = 0;
        double y = 0;
        double xx = 0;
        double yy = 0;
        double xy = 0;
        for (ScoredPair pair : pairs) {
            double[][] points = {{pair.chosenTokens(), pair.chosen()}, {pair.rejectedTokens(), pair.rejected()}};
            for (double[] point : points) {
                x += point[0];
                y += point[1];
                xx += point[0] * point[0];
                yy += point[1] * point[1];
                xy += point[0] * point[1];
            }
        }
        return (n * xy - x * y) / Math.sqrt((n * xx - x * x) * (n * yy - y * y));
    }
}
