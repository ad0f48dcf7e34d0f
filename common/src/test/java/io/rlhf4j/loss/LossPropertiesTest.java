package io.rlhf4j.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.function.DoubleUnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;

class LossPropertiesTest {
    private static final double STEP = 1e-6;

    private static double slope(DoubleUnaryOperator function, double x) {
        return (function.applyAsDouble(x + STEP) - function.applyAsDouble(x - STEP)) / (2 * STEP);
    }

    @Property
    void derivativeOfThePolicyLossIsItsSlope(
            @ForAll @DoubleRange(min = -5, max = 0) double latest,
            @ForAll @DoubleRange(min = -5, max = 0) double old,
            @ForAll @DoubleRange(min = -3, max = 3) double advantage,
            @ForAll @DoubleRange(min = 0.05, max = 0.4) double low,
            @ForAll @DoubleRange(min = 0.05, max = 0.4) double high) {
        for (double dualClip : new double[] {Double.POSITIVE_INFINITY, 3}) {
            PolicyLoss policyLoss = new PolicyLoss(low, high, dualClip);
            double ratio = Math.exp(latest - old);
            boolean atAKink = near(ratio, 1 - low) || near(ratio, 1 + high) || near(ratio, dualClip);
            if (!atAKink) {
                PolicyLoss.Term term = policyLoss.of(latest, old, advantage);
                assertThat(term.derivative())
                        .isCloseTo(
                                slope(x -> policyLoss.of(x, old, advantage).loss(), latest),
                                within(1e-5 * Math.max(1, ratio)));
            }
        }
    }

    private static boolean near(double ratio, double bound) {
        return Math.abs(ratio - bound) < 1e-4;
    }

    @Property
    void anAbsurdRatioIsFiniteAndPullsNowhere(@ForAll @DoubleRange(min = 21, max = 1e6) double distance) {
        PolicyLoss policyLoss = new PolicyLoss(0.2, 0.2, Double.POSITIVE_INFINITY);
        for (double sign : new double[] {1, -1}) {
            PolicyLoss.Term term = policyLoss.of(sign * distance, 0, -1);
            assertThat(term.loss()).isFinite();
            assertThat(term.derivative()).isZero();
        }
    }

    @Property
    void derivativeOfTheValueLossIsItsSlope(
            @ForAll @DoubleRange(min = -3, max = 3) double value,
            @ForAll @DoubleRange(min = -3, max = 3) double old,
            @ForAll @DoubleRange(min = -3, max = 3) double target) {
        ValueLoss valueLoss = new ValueLoss(0.2);
        boolean atTheBound = Math.abs(Math.abs(value - old) - 0.2) < 1e-4;
        boolean atTheSwitch = Math.abs(Math.abs(value - target) - Math.abs(bounded(value, old) - target)) < 1e-4;
        if (!atTheBound && (!atTheSwitch || Math.abs(value - old) < 0.2)) {
            assertThat(valueLoss.of(value, old, target).derivative())
                    .isCloseTo(slope(x -> valueLoss.of(x, old, target).loss(), value), within(1e-5));
        }
    }

    private static double bounded(double value, double old) {
        return Math.max(old - 0.2, Math.min(old + 0.2, value));
    }

    @Property
    void derivativesOfThePairLossAreItsSlopes(
            @ForAll @DoubleRange(min = -30, max = 30) double chosen,
            @ForAll @DoubleRange(min = -30, max = 30) double rejected,
            @ForAll @DoubleRange(min = 0, max = 2) double margin) {
        PairLoss pairLoss = new PairLoss(0.01);
        PairLoss.Term term = pairLoss.of(chosen, rejected, margin);
        assertThat(term.chosenDerivative())
                .isCloseTo(slope(x -> pairLoss.of(x, rejected, margin).loss(), chosen), within(1e-6));
        assertThat(term.rejectedDerivative())
                .isCloseTo(slope(x -> pairLoss.of(chosen, x, margin).loss(), rejected), within(1e-6));
    }

    @Property
    void derivativesOfTheCrossEntropyAreItsSlopesAndSumToNothing(
            @ForAll @Size(7) double[] wild, @ForAll @DoubleRange(min = 0, max = 0.5) double smoothing) {
        CrossEntropy crossEntropy = new CrossEntropy(smoothing);
        double[] logits = new double[wild.length];
        for (int i = 0; i < wild.length; i++) {
            logits[i] = 4 * Math.sin(wild[i]);
        }
        double[] derivatives = new double[logits.length];
        crossEntropy.of(logits, 3, derivatives);
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            int place = i;
            sum += derivatives[i];
            DoubleUnaryOperator loss = x -> {
                double[] moved = logits.clone();
                moved[place] = x;
                return crossEntropy.of(moved, 3, new double[moved.length]);
            };
            assertThat(derivatives[i]).isCloseTo(slope(loss, logits[i]), within(1e-6));
        }
        assertThat(sum).isCloseTo(0, within(1e-12));
    }

    @Property
    void statisticsOfRanksAddUpToThoseOfTheWholeBatch(
            @ForAll @Size(12) double[] wild, @ForAll @DoubleRange(min = 0, max = 11) double cut) {
        PolicyLoss policyLoss = new PolicyLoss(0.2, 0.2, 3);
        PolicyStatistics whole = new PolicyStatistics();
        PolicyStatistics[] ranks = {new PolicyStatistics(), new PolicyStatistics()};
        for (int i = 0; i < wild.length; i++) {
            double latest = -1 + Math.sin(wild[i]);
            PolicyLoss.Term term = policyLoss.of(latest, -1, Math.cos(wild[i]));
            whole.add(term, latest, -1);
            ranks[i < cut ? 0 : 1].add(term, latest, -1);
        }
        double[] sums = ranks[0].sums();
        for (int i = 0; i < sums.length; i++) {
            assertThat(sums[i] + ranks[1].sums()[i]).isCloseTo(whole.sums()[i], within(1e-9));
        }
    }
}
