package io.rlhf4j.driver.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.rlhf4j.sampling.RandomStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FailuresTest {
    @Test
    void withoutFailuresOnlyThePausesCost() {
        assertThat(new Failures(1e12, 60).useful(90, 10)).isEqualTo(0.9, within(1e-6));
    }

    @Test
    void rareFailuresCostTheirRestartsAndHalfAnInterval() {
        Failures rare = new Failures(1e6, 100);
        assertThat(rare.ofOne(600)).isEqualTo(400);
        assertThat(rare.stretch(600, 0)).isEqualTo(1 + rare.ofOne(600) / 1e6, within(1e-6));
    }

    /** The formula against runs in which failures are drawn: here in seconds of work, 20,000 intervals each. */
    @ParameterizedTest
    @CsvSource({"600, 60, 600, 0", "100, 30, 60, 5", "40, 20, 30, 1", "20, 8, 5, 0"})
    void drawnFailuresTakeTheTimeThatTheFormulaSays(double mean, double restart, double interval, double pause) {
        Draws draws = new Draws(mean);
        double clock = 0;
        double next = draws.next();
        int intervals = 20_000;
        for (int done = 0; done < intervals; ) {
            double end = clock + interval + pause;
            if (end <= next) {
                clock = end;
                done++;
            } else {
                clock = next;
                next = clock + draws.next();
                while (clock + restart > next) {
                    clock = next;
                    next = clock + draws.next();
                }
                clock += restart;
            }
        }
        // Of 20,000 intervals the mean is off by about one part in a hundred.
        assertThat(clock / (intervals * interval))
                .isCloseTo(new Failures(mean, restart).stretch(interval, pause), withinPercentage(4));
    }

    /** Times between events that come at random. */
    private static final class Draws {
        private final double mean;
        private final RandomStream stream = RandomStream.of(11);
        private long drawn;

        Draws(double mean) {
            this.mean = mean;
        }

        double next() {
            int steps = 1 << 30;
            return -mean * Math.log((stream.below(steps, drawn++) + 1.0) / (steps + 1.0));
        }
    }
}
