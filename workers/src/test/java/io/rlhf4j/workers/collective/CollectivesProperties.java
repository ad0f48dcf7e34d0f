package io.rlhf4j.workers.collective;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.Bfloat16;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** What holds of every implementation of {@link Collectives}, of all sizes, bit for bit. */
public abstract class CollectivesProperties {
    /** The ends of one group, by rank, that sums FP32 tensors as though they were of {@code sumType}. */
    protected abstract List<Collectives> group(int worldSize, DType sumType) throws Exception;

    @Property(tries = 25)
    void anAllReduceIsTheSumInTheOrderOfTheRanks(
            @ForAll @IntRange(min = 1, max = 5) int worldSize,
            @ForAll @IntRange(max = 5000) int elements,
            @ForAll DType type,
            @ForAll DType sumType,
            @ForAll long seed)
            throws Exception {
        float[][] inputs = inputs(worldSize, elements, seed);
        for (float[] result : onAllRanks(sumType, type, inputs, Collectives::allReduceSum)) {
            assertThat(result).isEqualTo(serialSum(inputs, type, sumType));
        }
    }

    @Property(tries = 25)
    void shardsOfTheSumAreWhatAnAllReduceGivesWhateverTheirSizes(
            @ForAll @Size(min = 1, max = 5) List<@IntRange(max = 2000) Integer> sizes,
            @ForAll DType type,
            @ForAll DType sumType,
            @ForAll long seed)
            throws Exception {
        Shards shards =
                Shards.ofSizes(sizes.stream().mapToLong(Integer::longValue).toArray());
        float[][] inputs = inputs(sizes.size(), Math.toIntExact(shards.elements()), seed);
        for (float[] result : onAllRanks(sumType, type, inputs, (ranks, whole) -> {
            Tensor part = shard(whole, shards, ranks.rank());
            ranks.reduceScatterSum(whole, shards, part);
            ranks.allGather(part, shards, whole);
        })) {
            assertThat(result).isEqualTo(serialSum(inputs, type, sumType));
        }
    }

    @Property(tries = 15)
    void aBroadcastGivesEveryoneTheRootsTensor(
            @ForAll @IntRange(min = 1, max = 5) int worldSize,
            @ForAll @IntRange(max = 5000) int elements,
            @ForAll DType type,
            @ForAll DType sumType,
            @ForAll long seed)
            throws Exception {
        float[][] inputs = inputs(worldSize, elements, seed);
        int root = Math.floorMod(seed, worldSize);
        for (float[] result : onAllRanks(sumType, type, inputs, (ranks, tensor) -> ranks.broadcast(tensor, root))) {
            assertThat(result).isEqualTo(rounded(inputs[root], type));
        }
    }

    /** Whoever comes first, and however often, the sums have the same bits. */
    @Property(tries = 20)
    void sumsDoNotDependOnWhoComesFirst(
            @ForAll @IntRange(min = 1, max = 6) int worldSize,
            @ForAll @IntRange(min = 0, max = 20) int length,
            @ForAll long seed)
            throws Exception {
        double[][] inputs = new double[worldSize][length];
        SplittableRandom random = new SplittableRandom(seed);
        for (double[] input : inputs) {
            for (int i = 0; i < length; i++) {
                input[i] = random.nextGaussian() * Math.pow(2, random.nextInt(-30, 30));
            }
        }
        double[] expected = inputs[0].clone();
        for (int rank = 1; rank < worldSize; rank++) {
            for (int i = 0; i < length; i++) {
                expected[i] += inputs[rank][i];
            }
        }
        int[] delays = random.ints(worldSize, 0, 3).toArray();
        try (Ranks<List<double[]>> ranks = new Ranks<>(group(worldSize, DType.FP32))) {
            for (List<double[]> sums : ranks.all(each -> {
                List<double[]> results = new ArrayList<>();
                for (int round = 0; round < 3; round++) {
                    Thread.sleep(delays[each.rank()]);
                    results.add(each.allReduceSum(inputs[each.rank()]));
                }
                return results;
            })) {
                assertThat(sums).allSatisfy(sum -> assertThat(sum).isEqualTo(expected));
            }
        }
    }

    private interface TensorAction {
        void run(Collectives ranks, Tensor tensor);
    }

    private List<float[]> onAllRanks(DType sumType, DType type, float[][] inputs, TensorAction action)
            throws Exception {
        try (Ranks<float[]> ranks = new Ranks<>(group(inputs.length, sumType))) {
            return ranks.all(each -> {
                try (Scope scope =
                        Scope.root(Backends.onClassPath().choose("auto", 1).backend(), "rank")) {
                    float[] input = inputs[each.rank()];
                    // Not at the storage's beginning: a tensor is a view.
                    Tensor tensor = scope.zeros(type, input.length + 3).slice(3, input.length + 3);
                    tensor.backend().write(tensor, input, 0);
                    action.run(each, tensor);
                    return tensor.toFloats();
                }
            });
        }
    }

    private static Tensor shard(Tensor whole, Shards shards, int rank) {
        return whole.slice(Math.toIntExact(shards.from(rank)), Math.toIntExact(shards.to(rank)));
    }

    private static float[] serialSum(float[][] inputs, DType type, DType sumType) {
        boolean narrow = type == DType.BF16 || sumType == DType.BF16;
        DType summed = narrow ? DType.BF16 : DType.FP32;
        float[] sum = rounded(inputs[0], summed);
        for (int rank = 1; rank < inputs.length; rank++) {
            float[] term = rounded(inputs[rank], summed);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += term[i];
            }
        }
        return rounded(sum, summed);
    }

    private static float[] rounded(float[] values, DType type) {
        float[] rounded = Arrays.copyOf(values, values.length);
        if (type == DType.BF16) {
            for (int i = 0; i < values.length; i++) {
                rounded[i] = Bfloat16.round(values[i]);
            }
        }
        return rounded;
    }

    private static float[][] inputs(int worldSize, int elements, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[][] inputs = new float[worldSize][elements];
        for (float[] input : inputs) {
            for (int i = 0; i < elements; i++) {
                input[i] = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(-10, 10)));
            }
        }
        return inputs;
    }
}
