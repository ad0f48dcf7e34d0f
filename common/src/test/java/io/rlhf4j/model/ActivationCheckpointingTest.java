package io.rlhf4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What training keeps, and what it costs in memory. */
class ActivationCheckpointingTest {
    private static final int VOCABULARY = 96;

    private final Backend backend = Backends.onClassPath().choose("cpu", 2).backend();

    private static TransformerConfig config(TransformerConfig.BlockLayout layout, int layers) {
        return new TransformerConfig(
                VOCABULARY,
                64,
                new TransformerConfig.Embedding(64, 1f, false),
                new PositionEncoding.Learned(5000, 0),
                5000,
                new TransformerConfig.Attention(4, 2, 16, 0.25f, 0f, true, true, false),
                TransformerConfig.sameWindow(layers, 0),
                new TransformerConfig.FeedForward(256, Activation.SILU, true, false),
                new TransformerConfig.Norm(TransformerConfig.Norm.Kind.LAYER, 1e-5f, 0f),
                layout,
                true,
                new TransformerConfig.Head(true, false, 0f),
                0.05);
    }

    /** Gradients, log-probabilities, and the most bytes that a step has held beside weights and gradients. */
    private record Pass(List<float[]> gradients, float[] logProbs, long peakBytes) {}

    private Pass pass(TransformerConfig config, DType type, ActivationCheckpointing checkpointing, int... lengths) {
        try (Scope scope = Scope.root(backend, "model")) {
            CausalLanguageModel model = new CausalLanguageModel(config, null, scope, type);
            model.initialise(3);
            model.allocateGradients(scope, DType.FP32);
            model.setCheckpointing(checkpointing);
            List<int[]> sequences = new ArrayList<>();
            for (int length : lengths) {
                int[] ids = new int[length];
                for (int i = 0; i < length; i++) {
                    ids[i] = (7 * i + i * i + length) % VOCABULARY;
                }
                sequences.add(ids);
            }
            TokenBatch batch = TokenBatch.of(sequences);
            int[] rows = new int[batch.tokens() - batch.sequences()];
            int[] targets = new int[rows.length];
            int next = 0;
            for (int token = 0; token + 1 < batch.tokens(); token++) {
                if (batch.positions()[token + 1] > 0) {
                    rows[next] = token;
                    targets[next++] = batch.ids()[token + 1];
                }
            }
            long before = scope.bytes();
            TokenLogProbs logProbs = model.logProbsAndBackward(
                    scope, batch, rows, targets, 1f, (index, logProb, entropy) -> -1f / rows.length, false);
            List<float[]> gradients = model.units().stream()
                    .map(unit -> unit.gradients().toFloats())
                    .toList();
            return new Pass(gradients, logProbs.logProbs(), scope.peakBytes() - before);
        }
    }

    @ParameterizedTest
    @EnumSource(TransformerConfig.BlockLayout.class)
    void whatIsComputedAgainHasTheSameBits(TransformerConfig.BlockLayout layout) {
        for (DType type : DType.values()) {
            Pass kept = pass(config(layout, 3), type, ActivationCheckpointing.OFF, 50, 21, 9);
            for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
                Pass again = pass(config(layout, 3), type, checkpointing, 50, 21, 9);
                assertThat(again.logProbs()).isEqualTo(kept.logProbs());
                for (int unit = 0; unit < kept.gradients().size(); unit++) {
                    assertThat(again.gradients().get(unit))
                            .isEqualTo(kept.gradients().get(unit));
                }
            }
        }
    }

    @Test
    void eachStepFromOffToBlockTakesLessMemory() {
        TransformerConfig config = config(TransformerConfig.BlockLayout.PRE_NORM, 12);
        long off = pass(config, DType.FP32, ActivationCheckpointing.OFF, 1024).peakBytes();
        long selective = pass(config, DType.FP32, ActivationCheckpointing.SELECTIVE, 1024)
                .peakBytes();
        long block =
                pass(config, DType.FP32, ActivationCheckpointing.BLOCK, 1024).peakBytes();
        assertThat(selective).isLessThan(off * 6 / 10);
        assertThat(block).isLessThan(selective / 2);
    }

    @Test
    void theMemoryOfALongSequenceGrowsWithItsLength() {
        TransformerConfig config = config(TransformerConfig.BlockLayout.PRE_NORM, 2);
        for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
            long half = pass(config, DType.BF16, checkpointing, 2048).peakBytes();
            Pass whole = pass(config, DType.BF16, checkpointing, 4096);
            assertThat(whole.peakBytes()).isBetween(half * 19 / 10, half * 21 / 10);
            assertThat(whole.logProbs()).hasSize(4095).doesNotContain(Float.NaN);
        }
    }

    @Test
    void whoElseIsInTheBatchDoesNotMatter() {
        TransformerConfig config = config(TransformerConfig.BlockLayout.PRE_NORM, 2);
        float[] together = pass(config, DType.FP32, ActivationCheckpointing.OFF, 70, 33, 80)
                .logProbs();
        float[] alone =
                pass(config, DType.FP32, ActivationCheckpointing.OFF, 70).logProbs();
        float[] few = pass(config, DType.FP32, ActivationCheckpointing.OFF, 33).logProbs();
        for (int i = 0; i < alone.length; i++) {
            assertThat(together[i]).isCloseTo(alone[i], within(1e-5f));
        }
        for (int i = 0; i < few.length; i++) {
            assertThat(together[69 + i]).isCloseTo(few[i], within(1e-5f));
        }
    }
}
