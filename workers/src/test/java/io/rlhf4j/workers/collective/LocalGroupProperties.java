package io.rlhf4j.workers.collective;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class LocalGroupProperties {
    /** Whoever comes first, and however often, the sums have the same bits. */
    @Property(tries = 50)
    void sumsDoNotDependOnWhoComesFirst(
            @ForAll @IntRange(min = 1, max = 6) int worldSize,
            @ForAll @IntRange(min = 0, max = 20) int length,
            @ForAll long seed)
            throws Exception {
        double[][] inputs = new double[worldSize][length];
        SplittableRandom random = new SplittableRandom(seed);
        for (double[] input : inputs) {
            for (int i = 0; i < length; i++) {
                input[i] = random.nextGaussian() * Math.pow(2, random.nextInt(-30, 30));
            }
        }
        double[] expected = inputs[0].clone();
        for (int rank = 1; rank < worldSize; rank++) {
            for (int i = 0; i < length; i++) {
                expected[i] += inputs[rank][i];
            }
        }
        LocalGroup group = new LocalGroup(worldSize, Duration.ofSeconds(30));
        int[] delays = random.ints(worldSize, 0, 3).toArray();
        try (Ranks<List<double[]>> ranks = new Ranks<>(
                IntStream.range(0, worldSize).mapToObj(group::member).toList())) {
            for (List<double[]> sums : ranks.all(each -> {
                List<double[]> results = new ArrayList<>();
                for (int round = 0; round < 3; round++) {
                    Thread.sleep(delays[each.rank()]);
                    results.add(each.allReduceSum(inputs[each.rank()]));
                }
                return results;
            })) {
                assertThat(sums).allSatisfy(sum -> assertThat(sum).isEqualTo(expected));
            }
        }
    }
}
