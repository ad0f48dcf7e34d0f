package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.workers.runtime.RankOutcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StragglersTest {
    private final RankPlaces places = new RankPlaces();
    private final List<String> said = new ArrayList<>();
    private final Stragglers stragglers = new Stragglers(places, said::add);

    @Test
    void aRankThatTakesTwiceAsLongAsTheMedianIsNamedWithItsHost() {
        ranksOn("1", "2", "3");
        ranksOn("1", "2", "3");
        assertThat(stragglers.look("the update of iteration 7", 1.0, 1.2, 3.72))
                .containsEntry("slowest_rank", 2.0)
                .containsEntry("seconds_rank_slowest", 3.72)
                .containsEntry("seconds_rank_median", 1.2);
        assertThat(said)
                .containsExactly(
                        "straggler: rank 2 on host-3 (executor 3) worked 3.1 times as long as the median rank in"
                                + " the update of iteration 7 (3.7 s, median 1.2 s)");
    }

    @Test
    void ofTwoRanksTheSlowerOneIsMeasuredByTheFaster() {
        ranksOn("1", "2");
        ranksOn("1", "2");
        stragglers.look("sft steps 1 to 4", 4, 1);
        assertThat(said).singleElement().asString().contains("rank 0 on host-1", "4.0 times");
    }

    @Test
    void ranksThatAreAboutEqualAreNotTalkedOf() {
        ranksOn("1", "2", "3");
        ranksOn("1", "2", "3");
        stragglers.look("a", 1.0, 1.9, 1.0);
        stragglers.look("b", 0.1, 0.1, 0.5);
        assertThat(stragglers.look("alone", 3)).isEmpty();
        assertThat(said).isEmpty();
    }

    @Test
    void aRankInAnExecutorThatIsNewIsExcused() {
        ranksOn("1", "2", "3");
        ranksOn("1", "4", "3");
        stragglers.look("the update of iteration 8", 1, 9, 1);
        assertThat(said).isEmpty();
    }

    @Test
    void aRankThatStaysSlowIsToldEverLessOften() {
        ranksOn("1", "2");
        ranksOn("1", "2");
        for (int i = 0; i < 10; i++) {
            stragglers.look("an update", 1, 3);
        }
        assertThat(said).hasSize(4).last().asString().endsWith("for the 8th time");
    }

    private void ranksOn(String... executors) {
        List<RankOutcome> outcomes = new ArrayList<>();
        for (int rank = 0; rank < executors.length; rank++) {
            outcomes.add(RankOutcome.done(rank, "host-" + executors[rank], executors[rank], true));
        }
        places.remember(outcomes);
    }
}
