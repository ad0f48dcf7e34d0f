package io.rlhf4j.workers.training;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * How far two forwards of the same weights, batched each in its own way, are apart: the one that the rollouts' log-probabilities
 * are from, and the update's first, before its first step. This is where engines silently disagree.
 *
 * @param mean of the absolute differences of all tokens of all ranks
 * @param percentile the 99.9th
 * @param most the largest
 * @param mostRelative the largest in units of the log-probability, where that is beyond 1: what rounding can explain
 */
record ForwardAgreement(double mean, double percentile, double most, double mostRelative) {
    /** Sums in fp32 that differ in nothing but their order. */
    private static final double MOST_FP32 = 1e-5;

    private static final double PERCENTILE_BF16 = 0.05;
    private static final double MEAN_BF16 = 0.005;

    static ForwardAgreement of(List<PolicyUpdate> updates, Collectives collectives) {
        double[] own = updates.stream()
                .flatMapToDouble(update -> Arrays.stream(update.differences()))
                .toArray();
        double relative = updates.stream()
                .mapToDouble(PolicyUpdate::largestRelativeDifference)
                .max()
                .orElse(0);
        ByteBuffer message = ByteBuffer.allocate(own.length * Double.BYTES);
        message.asDoubleBuffer().put(own);
        double[] all = collectives.allGather(message.array()).stream()
                .flatMapToDouble(bytes -> {
                    double[] values = new double[bytes.length / Double.BYTES];
                    ByteBuffer.wrap(bytes).asDoubleBuffer().get(values);
                    return Arrays.stream(values);
                })
                .sorted()
                .toArray();
        return new ForwardAgreement(
                Arrays.stream(all).average().orElse(0),
                all[(int) (0.999 * (all.length - 1))],
                all[all.length - 1],
                collectives.allReduceMax(new double[] {relative})[0]);
    }

    /**
     * Does nothing where rounding explains the difference.
     *
     * @throws Rlhf4jException of kind RETRYABLE where it does not, or where a number is not one
     */
    void require(DType type) {
        boolean agree =
                switch (type) {
                    case FP32 -> mostRelative <= MOST_FP32;
                    case BF16 -> mean <= MEAN_BF16 && percentile <= PERCENTILE_BF16;
                };
        if (!agree) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    ("the update's forward and the rollouts' disagree on the same %s weights: log-probabilities differ by"
                                    + " %.3g on average, %.3g at the 99.9th percentile, %.3g at most; were the rollouts made"
                                    + " by another weights version?")
                            .formatted(type, mean, percentile, most));
        }
    }
}
