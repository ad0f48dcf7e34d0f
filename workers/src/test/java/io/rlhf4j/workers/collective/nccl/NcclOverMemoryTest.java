package io.rlhf4j.workers.collective.nccl;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.CollectiveException;
import io.rlhf4j.workers.collective.CollectiveMetrics;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CollectivesContract;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Pending;
import io.rlhf4j.workers.collective.Ranks;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What becomes of tensors that go from device to device, wherever the devices are: on this one's processor. */
class NcclOverMemoryTest extends CollectivesContract {
    private static final Duration LONG = Duration.ofSeconds(30);

    @Override
    protected List<Collectives> group(int worldSize, Duration deadline) {
        return MemoryGroups.of(worldSize, deadline, DType.FP32, 4096, new MemoryLinks.Meeting());
    }

    @Test
    void aRankWhoseDeviceHangsEndsTheGroupAtTheDeadline() throws Exception {
        MemoryLinks.Meeting meeting = new MemoryLinks.Meeting(1);
        try (Ranks<Void> ranks = new Ranks<>(
                MemoryGroups.of(new LocalGroup(2, LONG), 2, Duration.ofMillis(300), DType.FP32, 4096, meeting))) {
            for (Throwable failure : ranks.failures(each -> onTensor(each, tensor -> {
                each.allReduceSum(tensor);
                each.barrier();
            }))) {
                assertThat(failure)
                        .isInstanceOf(CollectiveException.class)
                        .hasMessageContaining("rank 1 waited 300 ms for its GPU at allReduceSum of 100 FP32 elements");
                assertThat(((CollectiveException) failure).firstRank()).isEqualTo(1);
            }
            ranks.close();
            assertThat(meeting.aborted()).containsExactly(0, 1);
        }
    }

    @Test
    void aRankThatWaitsForItsDeviceHearsThatAnotherOneFailed() throws Exception {
        MemoryLinks.Meeting meeting = new MemoryLinks.Meeting(0);
        try (Ranks<Void> ranks = new Ranks<>(MemoryGroups.of(2, LONG, DType.FP32, 4096, meeting))) {
            List<Throwable> failures = ranks.failures(each -> onTensor(each, tensor -> {
                each.broadcast(tensor, 1);
                IllegalStateException cause = new IllegalStateException("out of paper");
                each.abort(cause);
                throw cause;
            }));
            assertThat(failures.get(0)).hasMessageContaining("rank 1 failed").hasMessageContaining("out of paper");
            assertThat(meeting.aborted()).containsExactly(0);
        }
    }

    @Test
    void anInterruptedRankLetsItsDeviceGoAndEndsTheGroup() throws Exception {
        MemoryLinks.Meeting meeting = new MemoryLinks.Meeting(0);
        try (Ranks<Void> ranks = new Ranks<>(MemoryGroups.of(1, LONG, DType.FP32, 4096, meeting))) {
            Throwable failure = ranks.failures(each -> onTensor(each, tensor -> {
                        Pending pending = each.startBroadcast(tensor, 0);
                        Thread.currentThread().interrupt();
                        pending.await();
                    }))
                    .get(0);
            assertThat(((CollectiveException) failure).kind()).isEqualTo(ErrorKind.INTERRUPTED);
            assertThat(meeting.aborted()).containsExactly(0);
        }
    }

    @Test
    void aTensorInThePlaceOfAnotherBackendGoesByTheOtherGroup() throws Exception {
        MemoryLinks.Meeting meeting = new MemoryLinks.Meeting();
        try (Ranks<float[]> ranks = new Ranks<>(MemoryGroups.of(2, LONG, DType.FP32, 4096, meeting))) {
            for (float[] result : ranks.all(each -> {
                onTensor(each, each::allReduceSum);
                float[][] sum = new float[1][];
                onTensor(each, tensor -> {
                    tensor.backend().fill(tensor, each.rank() + 1);
                    Pending first = each.startAllReduceSum(tensor);
                    Pending second = each.startAllReduceSum(tensor.slice(0, 1));
                    second.await();
                    first.await();
                    sum[0] = tensor.slice(0, 2).toFloats();
                });
                return sum[0];
            })) {
                assertThat(result).containsExactly(6, 3);
            }
        }
    }

    @Test
    void ranksWhoseTensorsLieOnDifferentKindsOfDevicesAllHearIt() throws Exception {
        MemoryLinks.Meeting meeting = new MemoryLinks.Meeting();
        try (Ranks<Void> ranks = new Ranks<>(MemoryGroups.of(2, LONG, DType.FP32, 4096, meeting))) {
            for (Throwable failure : ranks.failures(each -> onTensor(each, tensor -> {
                each.allReduceSum(tensor);
                if (each.rank() == 0) {
                    each.allReduceSum(tensor);
                } else {
                    onTensor(each, each::allReduceSum);
                }
            }))) {
                assertThat(failure)
                        .hasMessageContaining("rank 0 calls allReduceSum of 100 FP32 elements on GPUs, rank 1 calls"
                                + " allReduceSum of 100 FP32 elements");
            }
        }
    }

    @Test
    void callsAreCountedOnceAndBytesAsTheDevicesMoveThem() throws Exception {
        AtomicLong sent = new AtomicLong();
        AtomicLong received = new AtomicLong();
        try (Ranks<CollectiveMetrics> ranks = new Ranks<>(group(4, LONG))) {
            for (CollectiveMetrics metrics : ranks.all(each -> {
                onTensor(each, tensor -> {
                    each.allReduceSum(tensor);
                    each.broadcast(tensor, 2);
                });
                return each.metrics();
            })) {
                CollectiveMetrics.OfOperation sum = operation(metrics, "allReduceSum");
                assertThat(sum.calls()).isEqualTo(1);
                // Three quarters go out as terms, and a quarter to three others as sums.
                assertThat(sum.sentBytes()).isEqualTo(2 * 300);
                assertThat(sum.receivedBytes()).isEqualTo(2 * 300);
                assertThat(sum.longestSeconds()).isPositive();
                CollectiveMetrics.OfOperation broadcast = operation(metrics, "broadcast");
                assertThat(broadcast.calls()).isEqualTo(1);
                sent.addAndGet(broadcast.sentBytes());
                received.addAndGet(broadcast.receivedBytes());
            }
            assertThat(sent).hasValue(400);
            assertThat(received).hasValue(3 * 400);
        }
    }

    private static CollectiveMetrics.OfOperation operation(CollectiveMetrics metrics, String name) {
        return metrics.operations().stream()
                .filter(each -> each.operation().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private interface Action {
        void run(Tensor tensor);
    }

    private static Void onTensor(Collectives each, Action action) {
        try (Scope scope = Scope.root(Backends.onClassPath().choose("auto", 1).backend(), "rank " + each.rank())) {
            action.run(scope.zeros(DType.FP32, 100));
            return null;
        }
    }
}
