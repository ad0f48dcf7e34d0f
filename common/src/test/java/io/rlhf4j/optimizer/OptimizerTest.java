package io.rlhf4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.config.ScheduleConfig;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OptimizerTest {
    private static final int LENGTH = 37;
    private Scope scope;

    @BeforeEach
    void open() {
        scope = Scope.root(Backends.onClassPath().choose("cpu", 2).backend(), "optimizer");
    }

    @AfterEach
    void close() {
        scope.close();
    }

    static Stream<String> kinds() {
        return OptimizerConfig.KINDS.stream();
    }

    private static OptimizerConfig settings(String kind) {
        return ConfigFile.parse(OptimizerConfig.class, "{kind: %s, weight_decay: 0.1}".formatted(kind));
    }

    /** Gradient of half the squared distance from 1. */
    private Tensor gradient(Tensor parameter) {
        float[] values = parameter.toFloats();
        for (int i = 0; i < values.length; i++) {
            values[i] -= 1;
        }
        return scope.of(DType.FP32, values, values.length);
    }

    private List<Tensor> freshState(Optimizer optimizer) {
        List<Tensor> state = new ArrayList<>();
        optimizer.stateNames().forEach(name -> state.add(scope.zeros(DType.FP32, LENGTH)));
        return state;
    }

    private Tensor start() {
        float[] values = new float[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            values[i] = (float) Math.sin(i) * 3;
        }
        return scope.of(DType.FP32, values, LENGTH);
    }

    private static double distance(Tensor parameter) {
        double sum = 0;
        for (float value : parameter.toFloats()) {
            sum += (value - 1) * (value - 1);
        }
        return sum;
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everyKindComesNearerToTheMinimum(String kind) {
        Optimizer optimizer = Optimizer.of(settings(kind));
        Tensor parameter = start();
        List<Tensor> state = freshState(optimizer);
        double before = distance(parameter);
        for (int step = 1; step <= 30; step++) {
            optimizer.step(step, 0.01, 1, false, parameter, gradient(parameter), state);
        }
        assertThat(distance(parameter)).isLessThan(before);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aNewOptimizerContinuesFromTheStateWithTheSameBits(String kind) {
        Tensor whole = start();
        List<Tensor> state = freshState(Optimizer.of(settings(kind)));
        Tensor resumed = start();
        List<Tensor> resumedState = freshState(Optimizer.of(settings(kind)));
        Optimizer one = Optimizer.of(settings(kind));
        for (int step = 1; step <= 6; step++) {
            one.step(step, 0.01, 0.5, true, whole, gradient(whole), state);
            // A new object each time: nothing may hide outside of the state.
            Optimizer.of(settings(kind)).step(step, 0.01, 0.5, true, resumed, gradient(resumed), resumedState);
        }
        assertThat(resumed.toFloats()).isEqualTo(whole.toFloats());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void decayActsOnlyWhereItIsAsked(String kind) {
        Optimizer optimizer = Optimizer.of(settings(kind));
        Tensor decayed = start();
        Tensor plain = start();
        optimizer.step(1, 0.01, 1, true, decayed, gradient(decayed), freshState(optimizer));
        optimizer.step(1, 0.01, 1, false, plain, gradient(plain), freshState(optimizer));
        float[] start = start().toFloats();
        for (int i = 0; i < LENGTH; i++) {
            assertThat(plain.toFloats()[i] - decayed.toFloats()[i]).isCloseTo(0.001f * start[i], within(1e-6f));
        }
    }

    @Test
    void aConfiguredScheduleRisesFromNothingAndEndsAtItsFloor() {
        for (String kind : new String[] {"cosine", "linear"}) {
            LearningRateSchedule schedule = LearningRateSchedule.of(
                    ConfigFile.parse(ScheduleConfig.class, "{kind: %s, warmup: 0.1, floor: 0.2}".formatted(kind)),
                    1e-3,
                    100);
            assertThat(schedule.rate(0)).isZero();
            assertThat(schedule.rate(10)).isCloseTo(1e-3, within(1e-12));
            assertThat(schedule.rate(100)).isCloseTo(2e-4, within(1e-12));
            for (int step = 11; step <= 100; step++) {
                assertThat(schedule.rate(step)).isLessThanOrEqualTo(schedule.rate(step - 1));
            }
        }
    }

    @Test
    void aSmallGradientIsNotScaledAndNoLimitClipsNothing() {
        assertThat(new GradientClipping(1).factor(0.5)).isEqualTo(1);
        assertThat(new GradientClipping(1).factor(4)).isCloseTo(0.25, within(1e-6));
        assertThat(new GradientClipping(0).factor(1e9)).isEqualTo(1);
    }
}
