package io.rlhf4j.golden;

import io.rlhf4j.loss.ComparedSpan;
import io.rlhf4j.loss.PairLoss;
import java.util.Arrays;
import java.util.Map;

/** Fixtures of the reward model's losses. */
final class RewardModelAlgorithms {
    private RewardModelAlgorithms() {}

    static Map<String, Object> loss(Fixture fixture) {
        if (fixture.has("scores_best_first")) {
            double[] scores = fixture.row("scores_best_first");
            double[] gradient = new double[scores.length];
            return Map.of("loss", new PairLoss(0).ranking(scores, gradient), "grad", gradient);
        }
        return fixture.has("chosen_ids") ? perToken(fixture) : pairs(fixture);
    }

    private static Map<String, Object> pairs(Fixture fixture) {
        PairLoss pairLoss = new PairLoss(fixture.number("center_coefficient", 0));
        double[] chosen = fixture.row("chosen");
        double[] rejected = fixture.row("rejected");
        double[] margin = fixture.has("margin") ? fixture.row("margin") : new double[chosen.length];
        double[] perPair = new double[chosen.length];
        double[] chosenGradient = new double[chosen.length];
        double[] rejectedGradient = new double[chosen.length];
        for (int pair = 0; pair < chosen.length; pair++) {
            PairLoss.Term term = pairLoss.of(chosen[pair], rejected[pair], margin[pair]);
            perPair[pair] = term.loss();
            chosenGradient[pair] = term.chosenDerivative() / chosen.length;
            rejectedGradient[pair] = term.rejectedDerivative() / chosen.length;
        }
        return Map.of(
                "loss", mean(perPair),
                "per_pair", perPair,
                "grad_chosen", chosenGradient,
                "grad_rejected", rejectedGradient,
                "accuracy", accuracy(chosen, rejected));
    }

    private static Map<String, Object> perToken(Fixture fixture) {
        int[][] chosenRows = fixture.ids("chosen_ids");
        int[][] rejectedRows = fixture.ids("rejected_ids");
        double[][] chosenValues = fixture.rows("chosen_values");
        double[][] rejectedValues = fixture.rows("rejected_values");
        int padding = fixture.integer("pad_token_id");
        int pairs = chosenRows.length;
        double[] perPair = new double[pairs];
        int[][] spans = new int[pairs][];
        double[] chosenScores = new double[pairs];
        double[] rejectedScores = new double[pairs];
        double[][] chosenGradient = new double[pairs][chosenValues[0].length];
        double[][] rejectedGradient = new double[pairs][chosenValues[0].length];
        for (int pair = 0; pair < pairs; pair++) {
            int[] chosen = withoutPadding(chosenRows[pair], padding);
            int[] rejected = withoutPadding(rejectedRows[pair], padding);
            ComparedSpan span = ComparedSpan.of(chosen, rejected, chosenRows[pair].length);
            double[] chosenDerivatives = new double[span.length()];
            double[] rejectedDerivatives = new double[span.length()];
            perPair[pair] = PairLoss.perToken(
                    Arrays.copyOfRange(chosenValues[pair], span.from(), span.to()),
                    Arrays.copyOfRange(rejectedValues[pair], span.from(), span.to()),
                    chosenDerivatives,
                    rejectedDerivatives);
            for (int t = 0; t < span.length(); t++) {
                chosenGradient[pair][span.from() + t] = chosenDerivatives[t] / pairs;
                rejectedGradient[pair][span.from() + t] = rejectedDerivatives[t] / pairs;
            }
            spans[pair] = new int[] {span.from(), span.to()};
            chosenScores[pair] = chosenValues[pair][chosen.length - 1];
            rejectedScores[pair] = rejectedValues[pair][rejected.length - 1];
        }
        return Map.of(
                "loss", mean(perPair),
                "per_pair", perPair,
                "token_range", spans,
                "chosen_score", chosenScores,
                "rejected_score", rejectedScores,
                "accuracy", accuracy(chosenScores, rejectedScores),
                "grad_chosen_values", chosenGradient,
                "grad_rejected_values", rejectedGradient);
    }

    private static int[] withoutPadding(int[] ids, int padding) {
        int length = 0;
        while (length < ids.length && ids[length] != padding) {
            length++;
        }
        return Arrays.copyOf(ids, length);
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static double accuracy(double[] chosen, double[] rejected) {
        double right = 0;
        for (int pair = 0; pair < chosen.length; pair++) {
            right += chosen[pair] > rejected[pair] ? 1 : 0;
        }
        return right / chosen.length;
    }
}
