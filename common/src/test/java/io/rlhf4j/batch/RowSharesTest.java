package io.rlhf4j.batch;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.data.TokenRow;
import io.rlhf4j.data.TrainingRow;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class RowSharesTest {
    @Property(tries = 100)
    void everyRowHasOneRankAndRanksDifferByOneRowAtMost(
            @ForAll("rows") List<TrainingRow> rows, @ForAll @IntRange(min = 1, max = 5) int worldSize) {
        List<TrainingRow> seen = new ArrayList<>();
        int fewest = Integer.MAX_VALUE;
        int most = 0;
        for (int rank = 0; rank < worldSize; rank++) {
            List<TrainingRow> share = RowShares.of(rows, rank, worldSize);
            seen.addAll(share);
            int tokens = share.stream().mapToInt(TokenRow::tokens).sum();
            fewest = Math.min(fewest, tokens);
            most = Math.max(most, tokens);
        }
        int longest = rows.stream().mapToInt(TokenRow::tokens).max().orElse(0);

        assertThat(seen).containsExactlyInAnyOrderElementsOf(rows);
        assertThat(most - fewest).isLessThanOrEqualTo(longest);
    }

    @Property(tries = 100)
    void microBatchesKeepTheirBudgetUnlessARowAloneExceedsIt(
            @ForAll("rows") List<TrainingRow> rows, @ForAll @IntRange(min = 1, max = 60) int budget) {
        List<List<TrainingRow>> batches = RowShares.microBatches(rows, budget);

        assertThat(batches.stream().flatMap(List::stream)).containsExactlyInAnyOrderElementsOf(rows);
        assertThat(batches).allSatisfy(batch -> assertThat(batch.size() == 1
                        || batch.stream().mapToInt(TokenRow::tokens).sum() <= budget)
                .isTrue());
    }

    @Provide
    Arbitrary<List<TrainingRow>> rows() {
        return Arbitraries.integers().between(1, 40).list().ofMaxSize(30).map(lengths -> {
            List<TrainingRow> rows = new ArrayList<>();
            for (int length : lengths) {
                rows.add(new TrainingRow("row-" + rows.size(), "test", new int[length], new boolean[length]));
            }
            return rows;
        });
    }
}
