package io.rlhf4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Devices;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** NCCL with one rank, which sends to itself. */
@Timeout(120)
class DeviceGroupTest {
    private static Backend backend;

    @BeforeAll
    static void needsAGpuAndNccl() {
        backend = Devices.cuda();
        DeviceGroup.unusableBecause().ifPresent(obstacle -> Assumptions.abort("skipped: " + obstacle));
    }

    @Test
    void whatIsSentWasComputedBeforeAndWhatIsComputedBehindSeesWhatArrived() {
        try (DeviceGroup group = alone();
                Scope scope = Scope.root(backend, "test")) {
            Tensor source = scope.of(DType.FP32, new float[] {1, 2, 3, 4, 5}, 5).slice(1, 4);
            Tensor target = scope.zeros(DType.FP32, 6).slice(3, 6);
            backend.scale(source, 2f);
            group.together(() -> {
                group.send(source, 0);
                group.receive(target, 0);
            });
            await(group::isReady);
            backend.scale(target, 10f);
            await(group::isDone);
            assertThat(target.toFloats()).containsExactly(40, 60, 80);
        }
    }

    @Test
    void severalTensorsOfBf16GoTogether() {
        try (DeviceGroup group = alone();
                Scope scope = Scope.root(backend, "test")) {
            Tensor first = scope.of(DType.BF16, new float[] {0, 1.5f, -2, 3}, 4).slice(1, 4);
            Tensor second = filled(scope, 7_000_001, 0.25f);
            Tensor firstTarget = scope.zeros(DType.BF16, 3);
            Tensor secondTarget = filled(scope, 7_000_001, 0f);
            group.together(() -> {
                group.send(first, 0);
                group.send(second, 0);
                group.receive(firstTarget, 0);
                group.receive(secondTarget, 0);
            });
            await(group::isDone);
            assertThat(firstTarget.toFloats()).containsExactly(1.5f, -2, 3);
            float[] expected = new float[7_000_001];
            Arrays.fill(expected, 0.25f);
            assertThat(secondTarget.toFloats()).isEqualTo(expected);
        }
    }

    @Test
    void ofOneRankABroadcastAndAGatherLeaveTheTensorAsItIs() {
        try (DeviceGroup group = alone();
                Scope scope = Scope.root(backend, "test")) {
            Tensor tensor = scope.of(DType.FP32, new float[] {1, Float.NaN, -0f}, 3);
            group.together(() -> group.broadcast(tensor, 0));
            await(group::isReady);
            group.together(() -> group.gather(tensor));
            await(group::isDone);
            assertThat(tensor.toFloats()).containsExactly(1, Float.NaN, -0f);
        }
    }

    @Test
    void afterItHasEndedItIsNotAskedAgain() {
        DeviceGroup group = alone();
        group.abort();
        group.abort();
        group.close();
        assertThatThrownBy(group::isReady).isInstanceOf(IllegalStateException.class);
        try (Scope scope = Scope.root(backend, "test")) {
            assertThat(filled(scope, 3, 2f).toFloats()).containsExactly(2, 2, 2);
        }
    }

    @Test
    void whatNcclRefusesIsToldInItsWords() {
        assertThatThrownBy(() -> DeviceGroup.join(backend, DeviceGroup.newIdentity(), 3, 2))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.RETRYABLE))
                .hasMessageContaining("NCCL failed in ncclCommInitRankConfig: invalid argument");
    }

    private static DeviceGroup alone() {
        DeviceGroup group = DeviceGroup.join(backend, DeviceGroup.newIdentity(), 0, 1);
        await(group::isReady);
        return group;
    }

    private static Tensor filled(Scope scope, int elements, float value) {
        Tensor tensor = scope.allocate(DType.BF16, elements);
        backend.fill(tensor, value);
        return tensor;
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }
}
