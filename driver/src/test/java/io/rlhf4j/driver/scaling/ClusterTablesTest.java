package io.rlhf4j.driver.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ClusterTablesTest {
    private static final Load LOAD = new Load(16, 256, 256);
    private static final Shape SMALL = Shape.OPT.get(0);

    @Test
    void thePageHoldsTheTablesThatTheCommandPrints() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "scaling.md"));
        assertThat(page.replaceAll("\\r", "")).contains(ClusterTables.text(Cluster.H100));
    }

    @Test
    void shapesHaveTheParametersThatTheirNamesSay() {
        // facebook/opt-1.3b has 1,315,758,080.
        assertThat(SMALL.parameters()).isCloseTo(1_315_758_080, withinPercentage(0.01));
        assertThat(Shape.OPT.get(1).parameters()).isCloseTo(12.85e9, withinPercentage(0.5));
        assertThat(Shape.OPT.get(2).parameters()).isCloseTo(65.7e9, withinPercentage(0.5));
        // A token of OPT-1.3B: keys and values of 24 layers of 2,048 numbers of two bytes.
        assertThat(SMALL.cacheBytes(2)).isEqualTo(196_608);
    }

    @Test
    void aModelIsDividedAmongItsRanks() {
        Training eight = Training.of(SMALL, 8, LOAD, Cluster.H100);
        Training many = Training.of(SMALL, 64, LOAD, Cluster.H100);
        assertThat(eight.heldBytes()).isEqualTo(16 * SMALL.parameters() / 8, within(1.0));
        assertThat(many.heldBytes()).isEqualTo(eight.heldBytes() / 8, within(1.0));
        assertThat(eight.step().compute())
                .isEqualTo(6 * SMALL.parameters() * 8192 / Cluster.H100.flopsPerSecond(), within(1e-9));
        assertThat(many.step().optimizer()).isEqualTo(eight.step().optimizer() / 8, within(1e-9));
    }

    @Test
    void oneGpuTakesTheTimeThatWasMeasuredOnOne() {
        Training one = Training.of(SMALL, 1, LOAD, Cluster.H100);
        // docs/results.md: 0.142 s, the optimizer in it.
        assertThat(one.step().compute()).isCloseTo(0.142, withinPercentage(2));
        Iteration iteration = Iteration.of(SMALL, 1, LOAD, Cluster.H100).orElseThrow();
        // docs/results.md: 0.830 s of sampling and 0.152 s of scores, at batch 16.
        assertThat(iteration.generate()).isCloseTo(0.83, withinPercentage(40));
        assertThat(iteration.score()).isCloseTo(0.152, withinPercentage(30));
    }

    @Test
    void ranksWriteUnitsSideBySideAndEachReadsTheActor() {
        double model = 2 * SMALL.parameters();
        double rate = Cluster.H100.filesBytesPerSecond();
        assertThat(Iteration.of(SMALL, 1, LOAD, Cluster.H100).orElseThrow().publish())
                .isEqualTo(3 * model / rate, within(1e-9));
        // Of 26 units 8 ranks write four each at most, and 64 one; before that each is gathered.
        for (int[] each : new int[][] {{8, 4}, {64, 1}}) {
            double gathers = 26 * Cluster.H100.exchange(each[0]).seconds(model / 26);
            assertThat(Iteration.of(SMALL, each[0], LOAD, Cluster.H100)
                            .orElseThrow()
                            .publish())
                    .isEqualTo(2 * (each[1] * model / 26 / rate + gathers) + model / rate, within(1e-9));
        }
    }

    @Test
    void whatDoesNotFitIsSaid() {
        assertThat(Iteration.of(Shape.OPT.get(2), 512, LOAD, Cluster.H100)).isEmpty();
        assertThat(Training.of(Shape.OPT.get(2), 8, LOAD, Cluster.H100).fits(Cluster.H100))
                .isFalse();
        assertThat(Training.of(Shape.OPT.get(2), 64, LOAD, Cluster.H100).fits(Cluster.H100))
                .isTrue();
    }
}
