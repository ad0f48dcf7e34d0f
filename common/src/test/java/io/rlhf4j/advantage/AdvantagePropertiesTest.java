package io.rlhf4j.advantage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.data.Offset;

class AdvantagePropertiesTest {
    private static final Offset<Double> CLOSE = within(1e-9);

    private static double[] numbers(int seed, int count) {
        return IntStream.range(0, count)
                .mapToDouble(i -> 2 * Math.sin(1.7 * seed + 12.9898 * i))
                .toArray();
    }

    private static boolean[] all(int count) {
        boolean[] mask = new boolean[count];
        Arrays.fill(mask, true);
        return mask;
    }

    @Property
    void withLambdaOneReturnsAreDiscountedSumsOfRewards(
            @ForAll @IntRange(max = 1000) int seed,
            @ForAll @IntRange(min = 1, max = 20) int length,
            @ForAll @DoubleRange(min = 0, max = 1) double gamma) {
        double[] rewards = numbers(seed, length);
        double[] returns = new GeneralizedAdvantage(gamma, 1)
                .of(rewards, numbers(seed + 1, length), all(length), 0)
                .returns();
        double sum = 0;
        for (int t = length - 1; t >= 0; t--) {
            sum = rewards[t] + gamma * sum;
            assertThat(returns[t]).isCloseTo(sum, CLOSE);
        }
    }

    @Property
    void tokensThatAreMaskedOutChangeNothingWhateverTheyHold(
            @ForAll @IntRange(max = 1000) int seed, @ForAll @IntRange(min = 2, max = 20) int length) {
        double[] rewards = numbers(seed, length);
        double[] values = numbers(seed + 1, length);
        boolean[] mask = all(length);
        for (int t = 1; t < length; t += 3) {
            mask[t] = false;
        }
        int[] kept = IntStream.range(0, length).filter(t -> mask[t]).toArray();
        GeneralizedAdvantage estimator = new GeneralizedAdvantage(0.99, 0.9);
        GeneralizedAdvantage.Estimate dense = estimator.of(
                IntStream.of(kept).mapToDouble(t -> rewards[t]).toArray(),
                IntStream.of(kept).mapToDouble(t -> values[t]).toArray(),
                all(kept.length),
                0.3);
        rewards[1] = Double.NaN;
        values[1] = Double.NaN;
        GeneralizedAdvantage.Estimate sparse = estimator.of(rewards, values, mask, 0.3);
        for (int i = 0; i < kept.length; i++) {
            assertThat(sparse.advantages()[kept[i]]).isEqualTo(dense.advantages()[i]);
            assertThat(sparse.returns()[kept[i]]).isEqualTo(dense.returns()[i]);
        }
        assertThat(sparse.advantages()[1]).isZero();
    }

    @Property
    void whiteningIsTheSameHoweverManyRanksHoldTheBatch(
            @ForAll @IntRange(max = 1000) int seed, @ForAll @IntRange(min = 1, max = 4) int ranks) {
        double[] values = numbers(seed, 24);
        boolean[] mask = all(24);
        Moments moments = Moments.NONE;
        for (int rank = 0; rank < ranks; rank++) {
            int from = 24 * rank / ranks;
            int to = 24 * (rank + 1) / ranks;
            moments =
                    moments.plus(Moments.of(Arrays.copyOfRange(values, from, to), Arrays.copyOfRange(mask, from, to)));
        }
        double[] whitened = Whitening.POPULATION.apply(values, mask, moments, true);
        assertThat(Arrays.stream(whitened).sum()).isCloseTo(0, CLOSE);
        assertThat(Arrays.stream(whitened).map(x -> x * x).sum()).isCloseTo(24, CLOSE);
    }

    @Property
    void estimatorsHaveTheDerivativesTheySay(@ForAll @DoubleRange(min = 0.01, max = 3) double distance) {
        for (KlEstimator estimator : KlEstimator.values()) {
            for (double d : new double[] {distance, -distance}) {
                double slope = (estimator.value(d + 1e-6) - estimator.value(d - 1e-6)) / 2e-6;
                assertThat(estimator.derivative(d)).isCloseTo(slope, within(1e-6 * Math.max(1, Math.abs(slope))));
            }
        }
    }

    @Property
    void rewardsSumToTheClippedScoreLessThePenalty(
            @ForAll @IntRange(max = 1000) int seed, @ForAll @DoubleRange(min = -20, max = 20) double score) {
        double[] logProbs = numbers(seed, 9);
        double[] reference = numbers(seed + 1, 9);
        boolean[] mask = all(9);
        mask[8] = false;
        mask[3] = false;
        double[] rewards = new RewardShaping(KlEstimator.K3, 5).rewards(logProbs, reference, mask, score, 0.1);
        double expected = Math.max(-5, Math.min(5, score));
        for (int t = 0; t < 9; t++) {
            expected -= mask[t] ? 0.1 * KlEstimator.K3.value(logProbs[t] - reference[t]) : 0;
        }
        assertThat(Arrays.stream(rewards).sum()).isCloseTo(expected, CLOSE);
        assertThat(rewards[8]).isZero();
    }
}
