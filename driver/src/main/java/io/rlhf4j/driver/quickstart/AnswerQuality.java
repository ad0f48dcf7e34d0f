package io.rlhf4j.driver.quickstart;

import io.rlhf4j.driver.supportdesk.GroundTruth;
import java.util.HashSet;
import java.util.List;

/**
 * What a model's answers to held-out questions are worth.
 *
 * @param truth mean ground truth, 0 to 1
 * @param truthInterval half the width of its 95 % interval
 * @param fact share of answers with the right fact
 * @param language share in the customer's language
 * @param rules mean share of the house rules kept
 * @param length mean tokens of an answer
 * @param distinct share of answers that no other answer equals
 */
public record AnswerQuality(
        double truth,
        double truthInterval,
        double fact,
        double language,
        double rules,
        double length,
        double distinct) {
    /** The quality of some answers. */
    static AnswerQuality of(List<GroundTruth.Score> scores, List<String> answers, List<Integer> lengths) {
        int count = scores.size();
        double mean = mean(scores.stream().map(GroundTruth.Score::total).toList());
        double squares = 0;
        for (GroundTruth.Score score : scores) {
            squares += (score.total() - mean) * (score.total() - mean);
        }
        return new AnswerQuality(
                mean,
                1.96 * Math.sqrt(squares / (count - 1) / count),
                mean(scores.stream().map(GroundTruth.Score::fact).toList()),
                mean(scores.stream().map(GroundTruth.Score::language).toList()),
                mean(scores.stream()
                        .map(score -> (score.greeting() + score.closing() + score.noPromise()) / 3)
                        .toList()),
                mean(lengths.stream().map(Integer::doubleValue).toList()),
                (double) new HashSet<>(answers).size() / count);
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }
}
