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

    @Test
    void tasksGoWhereTheirRanksWereAndElseToTheOldestExecutorWithoutOne() {
        List<RankPlaces.Place> executors = List.of(place("4"), place("7"), place("8"), place("10"));
        assertThat(places.locations(2, executors))
                .containsExactly(List.of("executor_host-4_4"), List.of("executor_host-7_7"));
        ranksOn("8", "5", "7");
        assertThat(places.locations(3, executors))
                .containsExactly(
                        List.of("executor_host-8_8"), List.of("executor_host-4_4"), List.of("executor_host-7_7"));
        assertThat(places.locations(3, List.of(place("7"))))
                .containsExactly(List.of(), List.of(), List.of("executor_host-7_7"));
    }

    @Test
    void anExecutorThatIsGoneIsNoPlaceThoughSparkStillListsIt() {
        List<RankPlaces.Place> executors = List.of(place("4"), place("7"), place("8"), place("10"));
        ranksOn("4", "8");
        assertThat(places.allAmong(executors)).isTrue();
        places.lose(place("8"));
        assertThat(places.allAmong(executors)).isFalse();
        assertThat(places.locations(2, executors))
                .containsExactly(List.of("executor_host-4_4"), List.of("executor_host-7_7"));
    }

    private static RankPlaces.Place place(String executor) {
        return new RankPlaces.Place("host-" + executor, executor);
    }

    private void ranksOn(String... executors) {
        List<RankOutcome> outcomes = new ArrayList<>();
        for (int rank = 0; rank < executors.length; rank++) {
            outcomes.add(RankOutcome.done(rank, "host-" + executors[rank], executors[rank], true));
        }
        places.remember(outcomes);
    }
}
