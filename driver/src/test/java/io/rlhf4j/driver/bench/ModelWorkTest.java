package io.rlhf4j.driver.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The shape {@code tiny}: 4 blocks of width 256 with feed-forward layers of 704, gated; 4,096 tokens; head of its own. */
class ModelWorkTest {
    private static final double BLOCKS = 4 * (4 * 256 * 256 + 3 * 256 * 704);
    private static final double HEAD = 256 * 4096;

    private static TransformerConfig tiny;

    @BeforeAll
    static void read() throws IOException {
        try (Scope scope = Scope.root(Backends.onClassPath().choose("cpu", 1).backend(), "shape")) {
            tiny = new BenchModel("tiny").make(scope, DType.FP32).config();
        }
    }

    @Test
    void aForwardPassMultipliesEachTokenByEachWeightAndEachQueryByHalfOfTheKeys() {
        double attention = 4 * 4 * 256 * (100 * 100 / 2.0 + 20 * 20 / 2.0);
        ModelWork work = new ModelWork(tiny, DType.FP32);
        assertThat(work.forward(7, 100, 20)).isCloseTo(2 * 120 * BLOCKS + 2 * 7 * HEAD + attention, within(1.0));
        assertThat(work.training(7, 100, 20)).isCloseTo(3 * work.forward(7, 100, 20), within(1.0));
    }

    @Test
    void aTokenTakesAsLongAsReadingAllWeightsAndTheCacheOfAnswersThatAreNotDone() {
        ModelWork work = new ModelWork(tiny, DType.BF16);
        MachineLimits slowMemory = new MachineLimits(1e30, 1e9);
        // Two passes over the weights follow the prompts; one answer of two and one of three tokens, 8 cached at first.
        double bytes = 2 * 2 * (BLOCKS + HEAD) + 2 * 4 * 256 * 2 * (2 * 9 + 10);
        assertThat(work.generationSeconds(slowMemory, 8, 2, 3)).isCloseTo(bytes * 1e-9, within(1e-9));
    }

    @Test
    void wherePromptsAndRowsAreManyItIsMultiplyingThatTakesTime() {
        ModelWork work = new ModelWork(tiny, DType.FP32);
        MachineLimits slowProducts = new MachineLimits(1e9, 1e30);
        double prompts = work.forward(2, 8, 8);
        double step = 2 * 2 * (BLOCKS + HEAD) + 4 * 2 * 9 * 256 * 4;
        assertThat(work.generationSeconds(slowProducts, 8, 2, 2)).isCloseTo((prompts + step) * 1e-9, within(1e-9));
    }
}
