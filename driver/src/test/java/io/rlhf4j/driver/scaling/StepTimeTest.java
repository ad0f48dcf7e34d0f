package io.rlhf4j.driver.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.driver.scaling.StepTime.Work;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ten units of a million parameters, so that every term can be told by hand. */
class StepTimeTest {
    private static final Shape TEN = new Shape("ten", 1e7, 8, 0);
    private static final int FP32 = 4;
    private static final double EXACT = 1e-12;

    /** A unit of 4 MB on a network of 30 MB a second: of four ranks three quarters of it, 0.1 s, and three messages of 0.01. */
    private static final Exchange FOUR = new Exchange(4, 3e7, 0.01);

    private static final double UNIT = 0.13;

    @ParameterizedTest
    @CsvSource({"0,2", "1,2", "2,2", "3,3"})
    void aRankSendsWhatZeroSays(int stage, int times) {
        StepTime step = StepTime.of(new Work(stage, TEN, FP32, 3, 1, FOUR, 1));
        assertThat(step.sentBytes()).isEqualTo(times * 4e7 * 3 / 4, within(1e-6));
    }

    @Test
    void oneRankWaitsForNobody() {
        for (int stage = 0; stage <= 3; stage++) {
            StepTime step = StepTime.of(new Work(stage, TEN, FP32, 3, 1, new Exchange(1, 3e7, 0.01), 1));
            assertThat(step.exchange()).isZero();
            assertThat(step.sentBytes()).isZero();
            assertThat(step.seconds()).isEqualTo(4, within(EXACT));
        }
    }

    @Test
    void stagesZeroAndOneExchangeWhenThePassesAreOver() {
        StepTime zero = StepTime.of(new Work(0, TEN, FP32, 3, 1, FOUR, 1));
        assertThat(zero.exchange()).isEqualTo(2 * 10 * UNIT, within(EXACT));
        assertThat(zero.optimizer()).isEqualTo(1);
        StepTime one = StepTime.of(new Work(1, TEN, FP32, 3, 1, FOUR, 1));
        assertThat(one.exchange()).isEqualTo(zero.exchange(), within(EXACT));
        assertThat(one.optimizer()).isEqualTo(0.25, within(EXACT));
    }

    @Test
    void stageTwoHidesTheSumsBehindTheBackwardPassWhereThatIsLonger() {
        // A unit's backward pass takes 0.2 s, its exchange 0.13: the last one alone is waited for, then all weights.
        StepTime hidden = StepTime.of(new Work(2, TEN, FP32, 3, 1, FOUR, 1));
        assertThat(hidden.exchange()).isEqualTo(UNIT + 10 * UNIT, within(EXACT));
        // With 0.02 s of backward pass a unit, each exchange shows but for that.
        StepTime shown = StepTime.of(new Work(2, TEN, FP32, 0.3, 1, FOUR, 1));
        assertThat(shown.exchange()).isEqualTo(9 * (UNIT - 0.02) + UNIT + 10 * UNIT, within(EXACT));
        // Where the processor does both, nothing is hidden.
        StepTime busy = StepTime.of(new Work(2, TEN, FP32, 3, 1, FOUR, 0));
        assertThat(busy.exchange()).isEqualTo(20 * UNIT, within(EXACT));
    }

    @Test
    void stageThreeGathersInBothPassesAndSumsInOne() {
        // Forward 0.1 s a unit against a gather of 0.13; backward 0.2 s against a gather and a sum.
        StepTime step = StepTime.of(new Work(3, TEN, FP32, 3, 1, FOUR, 1));
        assertThat(step.exchange()).isEqualTo(9 * 0.03 + UNIT + 9 * 0.06 + 2 * UNIT, within(EXACT));
        StepTime busy = StepTime.of(new Work(3, TEN, FP32, 3, 1, FOUR, 0));
        assertThat(busy.exchange()).isEqualTo(30 * UNIT, within(EXACT));
    }

    @Test
    void manyRanksAreBoundByMessages() {
        Exchange many = new Exchange(513, 1e12, 1e-5);
        assertThat(many.seconds(1e6)).isEqualTo(512e-5, within(1e-5));
        assertThat(many.sent(513)).isEqualTo(512, within(1e-9));
    }

    @Test
    void thereIsNoFourthStage() {
        assertThatThrownBy(() -> StepTime.of(new Work(4, TEN, FP32, 3, 1, FOUR, 1)))
                .hasMessageContaining("no ZeRO stage 4");
    }
}
