package io.rlhf4j.workers.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every implementation of {@link Collectives} does. A subclass says how its ranks find each other. */
@Timeout(60)
public abstract class CollectivesContract {
    /** The ends of one group, by rank. */
    protected abstract List<Collectives> group(int worldSize, Duration deadline) throws Exception;

    /** Where the tensors of a rank lie: every rank has a backend of its own, as ranks of one JVM do. */
    protected Backend backend(int rank) {
        return Backends.onClassPath().choose("auto", 1).backend();
    }

    private static final Duration LONG = Duration.ofSeconds(30);

    @ParameterizedTest
    @CsvSource({"1,5", "2,1", "2,40000", "3,16385", "4,3", "4,70001"})
    void sumsAreTakenInFp32InTheOrderOfTheRanks(int worldSize, int elements) throws Exception {
        float[][] inputs = normals(worldSize, elements, 7);
        float[] expected = sumByRank(inputs);
        for (float[] result : onAllRanks(worldSize, DType.FP32, inputs, Collectives::allReduceSum)) {
            assertThat(result).isEqualTo(expected);
        }
    }

    @Test
    void aBf16SumIsRoundedOnce() throws Exception {
        float[][] inputs = {{1f, 256f}, {1f / 512, 1f}, {1f / 512, 1f}, {1f / 256, 0f}};
        for (float[] result : onAllRanks(4, DType.BF16, inputs, Collectives::allReduceSum)) {
            // Added one by one in bf16, the small terms would all be lost.
            assertThat(result).containsExactly(1.0078125f, 258f);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void reduceScatterThenAllGatherGivesTheBitsOfAllReduce(int worldSize) throws Exception {
        float[][] inputs = normals(worldSize, worldSize * 1237, 11);
        List<float[]> reduced = onAllRanks(worldSize, DType.FP32, inputs, Collectives::allReduceSum);
        List<float[]> scattered = onAllRanks(worldSize, DType.FP32, inputs, (ranks, whole) -> {
            Tensor part = whole.slice(ranks.rank() * 1237, (ranks.rank() + 1) * 1237);
            ranks.reduceScatterSum(whole, part);
            ranks.allGather(part, whole);
        });
        for (int rank = 0; rank < worldSize; rank++) {
            assertThat(scattered.get(rank)).isEqualTo(reduced.get(rank));
        }
    }

    @Test
    void reduceScatterLeavesTheWholeAsItWas() throws Exception {
        float[][] inputs = normals(2, 10, 3);
        List<float[]> wholes = onAllRanks(2, DType.FP32, inputs, (ranks, whole) -> {
            try (Scope scope = Scope.root(whole.backend(), "part")) {
                ranks.reduceScatterSum(whole, scope.allocate(DType.FP32, 5));
            }
        });
        assertThat(wholes.get(0)).isEqualTo(inputs[0]);
        assertThat(wholes.get(1)).isEqualTo(inputs[1]);
    }

    @Test
    void startedOperationsAreDoneWhenTheyAreAwaitedInWhateverOrder() throws Exception {
        float[][] inputs = normals(3, 3000, 5);
        float[] expected = sumByRank(inputs);
        for (float[] result : onAllRanks(3, DType.FP32, inputs, (ranks, tensor) -> {
            List<Pending> pending = new ArrayList<>();
            for (int at = 0; at < 3000; at += 1000) {
                pending.add(ranks.startAllReduceSum(tensor.slice(at, at + 1000)));
            }
            pending.get(2).await();
            assertThat(tensor.slice(2000, 3000).toFloats()).isEqualTo(Arrays.copyOfRange(expected, 2000, 3000));
            assertThat(ranks.allReduceSum(new double[] {1})).containsExactly(3);
            pending.get(0).await();
            pending.get(1).await();
            pending.get(1).await();
        })) {
            assertThat(result).isEqualTo(expected);
        }
    }

    @Test
    void ranksThatDisagreeOnTheShardsAllHearBoth() throws Exception {
        try (Ranks<Void> ranks = new Ranks<>(group(2, LONG))) {
            for (Throwable failure : ranks.failures(each -> {
                try (Scope scope = Scope.root(backend(each.rank()), "rank")) {
                    Shards shards = each.rank() == 0 ? Shards.ofSizes(7, 3) : Shards.ofSizes(6, 4);
                    Tensor part = scope.zeros(DType.FP32, Math.toIntExact(shards.size(each.rank())));
                    each.reduceScatterSum(scope.zeros(DType.FP32, 10), shards, part);
                }
                return null;
            })) {
                assertThat(failure).hasMessageContaining("[7, 3]").hasMessageContaining("[6, 4]");
            }
        }
    }

    @Test
    void aBroadcastCopiesTheRootsBitsEvenWhereTheyAreNotANumber() throws Exception {
        float[][] inputs = {{1, 2, 3}, {Float.NaN, -0f, Float.NEGATIVE_INFINITY}, {7, 8, 9}};
        for (float[] result : onAllRanks(3, DType.FP32, inputs, (ranks, tensor) -> ranks.broadcast(tensor, 1))) {
            assertThat(result).isEqualTo(inputs[1]);
        }
    }

    @Test
    void numbersAreSummedInFp64AndMaximaKeepNaN() throws Exception {
        try (Ranks<List<double[]>> ranks = new Ranks<>(group(3, LONG))) {
            for (List<double[]> result : ranks.all(each -> List.of(
                    each.allReduceSum(new double[] {Math.pow(2, 40 - each.rank()), 1}),
                    each.allReduceMax(new double[] {each.rank(), each.rank() == 1 ? Double.NaN : 0})))) {
                assertThat(result.get(0)).containsExactly(Math.pow(2, 40) * 1.75, 3);
                assertThat(result.get(1)).containsExactly(2, Double.NaN);
            }
        }
    }

    @Test
    void messagesOfDifferentLengthsComeToAllInTheOrderOfTheRanks() throws Exception {
        try (Ranks<List<String>> ranks = new Ranks<>(group(3, LONG))) {
            for (List<String> heard :
                    ranks.all(each -> each.allGather("x".repeat(each.rank()).getBytes(StandardCharsets.UTF_8)).stream()
                            .map(message -> new String(message, StandardCharsets.UTF_8))
                            .toList())) {
                assertThat(heard).containsExactly("", "x", "xx");
            }
        }
    }

    @Test
    void nobodyPassesABarrierBeforeAllHaveCome() throws Exception {
        CountDownLatch late = new CountDownLatch(1);
        try (Ranks<Long> ranks = new Ranks<>(group(3, LONG))) {
            for (long lateCount : ranks.all(each -> {
                if (each.rank() == 2) {
                    Thread.sleep(100);
                    late.countDown();
                }
                each.barrier();
                return late.getCount();
            })) {
                assertThat(lateCount).isZero();
            }
        }
    }

    @Test
    void ranksThatDisagreeOnTheOperationAllHearBothSides() throws Exception {
        try (Ranks<Void> ranks = new Ranks<>(group(2, LONG))) {
            for (Throwable failure : ranks.failures(each -> {
                each.agree("broadcast of a song");
                assertThat(each.failure()).isEmpty();
                if (each.rank() == 0) {
                    each.barrier();
                } else {
                    each.allReduceSum(new double[3]);
                }
                return null;
            })) {
                assertThat(failure)
                        .isInstanceOf(CollectiveException.class)
                        .hasMessageContaining("rank 0 calls barrier, rank 1 calls allReduceSum of 3 numbers");
            }
        }
    }

    @Test
    void ranksThatDisagreeOnTheSizeAllHearBothSizes() throws Exception {
        try (Ranks<Void> ranks = new Ranks<>(group(2, LONG))) {
            for (Throwable failure : ranks.failures(each -> {
                try (Scope scope = Scope.root(backend(each.rank()), "rank")) {
                    each.allReduceSum(scope.zeros(DType.FP32, 10 + each.rank()));
                }
                return null;
            })) {
                assertThat(failure).hasMessageContaining("10 FP32").hasMessageContaining("11 FP32");
            }
        }
    }

    @Test
    void aRankThatFailsEndsTheOthersAtOnceAndIsNamed() throws Exception {
        Rlhf4jException cause = Rlhf4jException.data("row 7 of support.jsonl is broken");
        try (Ranks<Void> ranks = new Ranks<>(group(3, LONG))) {
            List<Throwable> failures = ranks.failures(each -> {
                each.barrier();
                if (each.rank() == 1) {
                    each.abort(cause);
                    throw cause;
                }
                each.barrier();
                return null;
            });
            assertThat(failures.get(1)).isSameAs(cause);
            for (int other : new int[] {0, 2}) {
                CollectiveException heard = (CollectiveException) failures.get(other);
                assertThat(heard).hasMessageContaining("rank 1 failed").hasMessageContaining("row 7 of support.jsonl");
                assertThat(heard.firstRank()).isEqualTo(1);
                assertThat(heard.kind()).isEqualTo(ErrorKind.DATA);
            }
        }
    }

    @Test
    void aRankThatNeverComesEndsTheOthersAtTheDeadlineAndIsNamed() throws Exception {
        try (Ranks<Void> ranks = new Ranks<>(group(3, Duration.ofMillis(200)))) {
            CountDownLatch over = new CountDownLatch(2);
            List<Throwable> failures = ranks.failures(each -> {
                if (each.rank() == 2) {
                    over.await();
                    each.barrier();
                }
                try {
                    each.allReduceSum(new double[1]);
                } finally {
                    over.countDown();
                }
                return null;
            });
            for (Throwable failure : failures) {
                assertThat(failure).hasMessageContaining("rank(s) 2").hasMessageContaining("allReduceSum of 1 numbers");
            }
        }
    }

    @Test
    void aRankThatLeavesFailsThoseWhoWaitForItOrComeLater() throws Exception {
        try (Ranks<Void> ranks = new Ranks<>(group(2, LONG))) {
            List<Throwable> failures = ranks.failures(each -> {
                if (each.rank() == 0) {
                    each.close();
                    throw new IllegalStateException("gone");
                }
                each.barrier();
                return null;
            });
            assertThat(failures.get(1)).hasMessageContaining("rank 0 has left the group");
        }
    }

    @Test
    void aGroupThatHasFailedStaysFailedForItsFirstCause() throws Exception {
        List<Collectives> group = group(2, LONG);
        group.get(0).abort(new IllegalStateException("first"));
        assertThatThrownBy(group.get(1)::barrier).hasMessageContaining("first");
        group.get(1).abort(new IllegalStateException("second"));
        for (Collectives rank : group) {
            assertThatThrownBy(rank::barrier).hasMessageContaining("first").hasMessageNotContaining("second");
            assertThat(rank.failure().orElseThrow().message()).contains("first").doesNotContain("second");
        }
    }

    private interface TensorAction {
        void run(Collectives ranks, Tensor tensor);
    }

    private List<float[]> onAllRanks(int worldSize, DType type, float[][] inputs, TensorAction action)
            throws Exception {
        try (Ranks<float[]> ranks = new Ranks<>(group(worldSize, LONG))) {
            return ranks.all(each -> {
                try (Scope scope = Scope.root(backend(each.rank()), "rank")) {
                    float[] input = inputs[each.rank()];
                    Tensor tensor = scope.of(type, input, input.length);
                    action.run(each, tensor);
                    return tensor.toFloats();
                }
            });
        }
    }

    static float[] sumByRank(float[][] inputs) {
        float[] sum = inputs[0].clone();
        for (int rank = 1; rank < inputs.length; rank++) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += inputs[rank][i];
            }
        }
        return sum;
    }

    private static float[][] normals(int worldSize, int elements, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<float[]> all = new ArrayList<>();
        for (int rank = 0; rank < worldSize; rank++) {
            float[] values = new float[elements];
            for (int i = 0; i < elements; i++) {
                values[i] = (float) random.nextGaussian();
            }
            all.add(values);
        }
        return all.toArray(float[][]::new);
    }
}
