package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.workers.runtime.RankOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RankPlacesTest {
    private final RankPlaces places = new RankPlaces();

    @Test
    void theRanksOfAnExecutorAreNamedWhereTheyAreSure() {
        ranksOn("4", "7", "4");
        assertThat(places.byExecutor()).isEqualTo(Map.of("4", List.of(0, 2), "7", List.of(1)));
        assertThat(places.ranksOf("7", 1)).isEqualTo("rank 1");
        assertThat(places.ranksOf("4", 2)).isEqualTo("rank 0 and rank 2");
        // It has one task only: which of the two ranks that is, nobody knows.
        assertThat(places.ranksOf("4", 1)).isEqualTo("a rank");
        assertThat(places.ranksOf("9", 1)).isEqualTo("a rank");
    }

    @Test
    void whatARankDidBeforeIsForgottenWhereItHasMovedOrIsNoMore() {
        ranksOn("4", "7", "8");
        ranksOn("9", "7");
        assertThat(places.byExecutor()).isEqualTo(Map.of("9", List.of(0), "7", List.of(1)));
        assertThat(places.ranksOf("4", 1)).isEqualTo("a rank");
        assertThat(places.isNew(0)).isTrue();
        assertThat(places.isNew(1)).isFalse();
    }

    private void ranksOn(String... executors) {
        List<RankOutcome> outcomes = new ArrayList<>();
        for (int rank = 0; rank < executors.length; rank++) {
            outcomes.add(RankOutcome.done(rank, "host-" + executors[rank], executors[rank], true));
        }
        places.remember(outcomes);
    }
}
