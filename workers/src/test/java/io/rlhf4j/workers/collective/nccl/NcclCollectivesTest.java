package io.rlhf4j.workers.collective.nccl;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Bfloat16;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.CollectivesContract;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Shards;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** NCCL between as many ranks as this machine has GPUs; tests of more ranks are skipped. */
class NcclCollectivesTest extends CollectivesContract {
    private static final Duration LONG = Duration.ofSeconds(50);

    @Override
    protected List<Collectives> group(int worldSize, Duration deadline) {
        Gpus.require(worldSize);
        LocalGroup group = new LocalGroup(worldSize, deadline);
        return IntStream.range(0, worldSize)
                .<Collectives>mapToObj(rank -> NcclCollectives.over(group.member(rank), DType.FP32, deadline))
                .toList();
    }

    @Override
    protected Backend backend(int rank) {
        return Gpus.backend(rank);
    }

    @Test
    void oneRankBroadcastsGathersAndSumsWhatItHas() {
        float[] values = {1.5f, Float.NaN, -0f, 3e38f};
        try (Collectives alone = group(1, LONG).get(0);
                Scope scope = Scope.root(backend(0), "rank")) {
            for (DType type : DType.values()) {
                Tensor tensor = scope.zeros(type, 7).slice(3, 7);
                tensor.backend().write(tensor, values, 0);
                float[] rounded = tensor.toFloats();
                alone.broadcast(tensor, 0);
                assertThat(tensor.toFloats()).isEqualTo(rounded);
                Tensor whole = scope.zeros(type, 4);
                alone.allGather(tensor, Shards.ofSizes(4), whole);
                assertThat(whole.toFloats()).isEqualTo(rounded);
                alone.allReduceSum(whole);
                assertThat(whole.toFloats()).isEqualTo(rounded);
                alone.broadcast(scope.zeros(type, 0), 0);
            }
            assertThat(alone.allReduceSum(new double[] {7})).containsExactly(7);
        }
    }

    @Test
    void aSumAsThoughOfBf16IsRoundedOnTheGpuAsOnTheHost() {
        Gpus.require(1);
        float[] values = {1.00390625f, 1.01171875f, -1e-40f, 3.3e38f, 0.1f};
        LocalGroup group = new LocalGroup(1, LONG, DType.BF16);
        try (Collectives alone = NcclCollectives.over(group.member(0), DType.BF16, LONG);
                Scope scope = Scope.root(backend(0), "rank")) {
            Tensor tensor = scope.of(DType.FP32, values, values.length);
            alone.allReduceSum(tensor);
            for (int i = 0; i < values.length; i++) {
                assertThat(tensor.toFloats()[i]).isEqualTo(Bfloat16.round(values[i]));
            }
        }
    }
}
