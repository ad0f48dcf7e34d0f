package io.rlhf4j.hub;

import static io.rlhf4j.hub.GoldenAssertions.assertGradient;
import static io.rlhf4j.hub.GoldenAssertions.assertRelative;
import static io.rlhf4j.hub.GoldenAssertions.assertWithin;
import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** The {@code reward.*} and value fields of a golden model: a linear head of one output. */
final class RewardGolden {
    private final Backend backend;
    private final GoldenModel golden;

    RewardGolden(Backend backend, GoldenModel golden) {
        this.backend = backend;
        this.golden = golden;
    }

    void check() throws IOException {
        try (Scope scope = Scope.root(backend, "golden")) {
            ScoreModel model = GoldenModel.directories().loadScore(golden.directory(), scope, DType.FP32, 1);
            ParameterUnit head = model.units().get(model.units().size() - 1);
            backend.write(head.parameters().get(0).value(), golden.floats("reward.v_head.weight"), 0);
            values(scope, model, "right");
            values(scope, model, "left");
            valuesBeforeResponses(scope, model);
            gradients(scope, model);
            savedAsClassifier(scope, model);
        }
    }

    private void values(Scope scope, ScoreModel model, String side) throws IOException {
        TokenBatch batch = golden.batch(side);
        float[] values =
                model.scores(scope, batch, IntStream.range(0, batch.tokens()).toArray());
        float[] expected = golden.floats("reward." + side + ".values");
        int length = golden.integers(side + ".input_ids")[0].length;
        List<int[]> places = golden.places(side);
        float[] wanted = new float[values.length];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = expected[places.get(i)[0] * length + places.get(i)[1]];
        }
        assertWithin(1e-4, values, wanted, side + " values");
    }

    private void valuesBeforeResponses(Scope scope, ScoreModel model) throws IOException {
        ResponseColumns columns = new ResponseColumns(golden);
        float[] values = model.scores(scope, golden.batch("right"), columns.rows());
        assertWithin(1e-4, values, columns.of(golden.floats("ppo.values")), "ppo.values");
    }

    private void gradients(Scope scope, ScoreModel model) throws IOException {
        model.allocateGradients(scope, DType.FP32);
        TokenBatch batch = golden.batch("right");
        float[] scores = model.scoresAndBackward(scope, batch, batch.lastRows(), s -> {
            float pull = (float) (1 / (1 + Math.exp((double) s[0] - s[1])));
            return new float[] {-pull, pull, 0f};
        });
        assertWithin(1e-4, scores, golden.floats("reward.scores"), "scores");
        double loss = Math.log1p(Math.exp((double) scores[1] - scores[0]));
        assertRelative(
                1e-3, loss, golden.scalar("reward.bt_loss_row0_over_row1").doubleValue(), "pair loss");
        WeightBinding binding = ModelDirectory.bind(model.source(), model.config(), model.units());
        for (String name : golden.tensorNames()) {
            if (name.startsWith("reward.grad.")) {
                String own = name.substring("reward.grad.".length()).replace("v_head.weight", "score.weight");
                assertGradient(binding.gradientOf(own), golden.floats(name), name);
            }
        }
    }

    private void savedAsClassifier(Scope scope, ScoreModel model) throws IOException {
        Path folder = Files.createTempDirectory("model");
        org.apache.hadoop.fs.Path directory = new org.apache.hadoop.fs.Path(folder.toUri());
        try {
            GoldenModel.directories().save(model, directory, ElementType.F32);
            assertThat(GoldenModel.directories().describe(directory).scoreModel())
                    .isTrue();
            ScoreModel again = GoldenModel.directories().loadScore(directory, scope, DType.FP32, 2);
            TokenBatch batch = golden.batch("right");
            assertThat(again.scores(scope, batch, batch.lastRows()))
                    .isEqualTo(model.scores(scope, batch, batch.lastRows()));
        } finally {
            org.apache.hadoop.fs.FileUtil.fullyDelete(folder.toFile());
        }
    }
}
