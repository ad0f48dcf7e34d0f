package io.rlhf4j.driver.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.LongStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class RowOrderProperties {
    /** However a step is cut into chunks, it sees the same rows in the same order. */
    @Property(tries = 100)
    void chunksJoinedAreTheWhole(
            @ForAll @IntRange(min = 1, max = 40) int rows,
            @ForAll @IntRange(min = 0, max = 90) int first,
            @ForAll @IntRange(min = 0, max = 90) int second,
            @ForAll long seed) {
        long[] whole = order(rows, 1, seed).take(0, first + second);
        RowOrder again = order(rows, 1, seed);
        assertThat(again.take(first, second)).isEqualTo(Arrays.copyOfRange(whole, first, first + second));
        assertThat(again.take(0, first)).isEqualTo(Arrays.copyOf(whole, first));
    }

    @Property(tries = 50)
    void everyPassHasEveryRowOnceAndInAnotherOrder(@ForAll @IntRange(min = 20, max = 60) int rows, @ForAll long seed) {
        RowOrder order = order(rows, 1, seed);
        long[] first = order.take(0, rows);
        long[] second = order.take(rows, rows);
        assertThat(first).isNotEqualTo(second);
        assertThat(first).containsExactlyInAnyOrder(second);
    }

    @Example
    void aWeightIsHowOftenAPassHasARow() {
        double[] weights = new double[3000];
        Arrays.fill(weights, 0, 1000, 2.0);
        Arrays.fill(weights, 1000, 2000, 1.0);
        Arrays.fill(weights, 2000, 3000, 0.5);
        RowOrder order = new RowOrder(LongStream.range(0, 3000).toArray(), weights, 5);
        long pass = order.rows(1);
        long[] rows = order.take(0, (int) pass);
        assertThat(count(rows, 0, 1000)).isEqualTo(2000);
        assertThat(count(rows, 1000, 2000)).isEqualTo(1000);
        assertThat(count(rows, 2000, 3000)).isBetween(440L, 560L);
        assertThat(order.rows(0.5)).isEqualTo(Math.round(pass * 0.5));
    }

    private static long count(long[] rows, long from, long to) {
        return Arrays.stream(rows).filter(row -> row >= from && row < to).count();
    }

    private static RowOrder order(int rows, double weight, long seed) {
        double[] weights = new double[rows];
        Arrays.fill(weights, weight);
        return new RowOrder(LongStream.range(0, rows).toArray(), weights, seed);
    }
}
