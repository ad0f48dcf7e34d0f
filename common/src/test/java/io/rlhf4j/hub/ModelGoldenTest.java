package io.rlhf4j.hub;

import static io.rlhf4j.hub.GoldenAssertions.assertGradient;
import static io.rlhf4j.hub.GoldenAssertions.assertRelative;
import static io.rlhf4j.hub.GoldenAssertions.assertWithin;
import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.format.TensorReader;
import io.rlhf4j.golden.GoldenFolder;
import io.rlhf4j.model.ActivationCheckpointing;
import io.rlhf4j.model.CachedSequence;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.KvCache;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.model.TokenLogProbs;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.ThrowingConsumer;

/** Every model of the reference fixtures computes what the reference computed with it, on one backend. */
abstract class ModelGoldenTest {
    private static final List<String> KNOWN_TENSORS = List.of(
            "(right|left)\\.(input_ids|attention_mask|position_ids|logits|next_logp)",
            "labels",
            "labels_prompt_masked",
            "grad_prompt_masked\\..*",
            "adamw_(noclip_step1|clip_step1|clip_step3)\\..*",
            "gen\\.(prompt_ids|prompt_mask|ids|logp)",
            "gen_eos\\.(ids|mask|logp)",
            "reward\\.(v_head\\.weight|(right|left)\\.values|scores|grad\\..*)",
            "ppo\\.(action_mask|values|logp|old_logp|advantages|grad\\..*)");
    private static final List<String> KNOWN_SCALARS = List.of(
            "logits_max_abs",
            "right_left_max_diff",
            "(loss|grad_norm)_(full|prompt_masked)",
            "prompt_lengths_for_masking",
            "adamw(_(noclip|clip)_(losses_before_each_step|grad_norm_before_clip|loss_after))?",
            "gen\\.min_top2_gap",
            "gen_eos\\.eos_token_id",
            "pad_token_id",
            "config_eos_token_id",
            "reward\\.bt_loss_row0_over_row1",
            "ppo\\.(policy_loss|grad_norm)");

    private final Backend backend;

    ModelGoldenTest(Backend backend) {
        this.backend = backend;
    }

    @TestFactory
    Stream<DynamicContainer> everyModel() {
        return GoldenFolder.cases("models").stream()
                .map(folder -> DynamicContainer.dynamicContainer(
                        folder.getFileName().toString(),
                        Stream.of(
                                test("everythingInTheFolderIsKnown", folder, this::knows),
                                test("logitsAreTheSameOnBothSidesOfThePadding", folder, this::logits),
                                test("lossAndAllItsGradients", folder, this::gradientsOfFullLoss),
                                test("lossOfResponsesAlone", folder, this::gradientsOfMaskedLoss),
                                test("adamWSteps", folder, golden -> new AdamWGolden(backend, golden).check()),
                                test("greedyGenerationOverTheCache", folder, this::generation),
                                test("rewardAndValues", folder, golden -> {
                                    if (golden.has("reward.scores")) {
                                        new RewardGolden(backend, golden).check();
                                    }
                                }),
                                test("clippedPolicyLoss", folder, golden -> {
                                    if (golden.has("ppo.advantages")) {
                                        new PolicyGolden(backend, golden).check();
                                    }
                                }),
                                test("savedAndLoadedAgainItIsTheSame", folder, this::roundTrip))));
    }

    private static DynamicTest test(String name, Path folder, ThrowingConsumer<GoldenModel> body) {
        return DynamicTest.dynamicTest(name, () -> {
            try (GoldenModel golden = new GoldenModel(folder)) {
                body.accept(golden);
            }
        });
    }

    private void knows(GoldenModel golden) throws IOException {
        assertThat(golden.tensorNames()).allMatch(name -> KNOWN_TENSORS.stream().anyMatch(name::matches));
        assertThat(golden.scalarNames()).allMatch(name -> KNOWN_SCALARS.stream().anyMatch(name::matches));
        try (Stream<Path> entries = Files.list(golden.folder())) {
            List<String> folders = entries.filter(Files::isDirectory)
                    .map(path -> path.getFileName().toString())
                    .toList();
            assertThat(folders).isSubsetOf("lora");
            folders.forEach(folder -> System.out.println("pending: " + golden + "/" + folder));
        }
    }

    private void logits(GoldenModel golden) throws IOException {
        double tolerance = golden.tolerance();
        try (Scope scope = Scope.root(backend, "golden")) {
            CausalLanguageModel model = golden.load(scope);
            int vocab = model.config().vocabSize();
            for (String side : List.of("right", "left")) {
                TokenBatch batch = golden.batch(side);
                List<int[]> places = golden.places(side);
                int[][] positions = golden.integers(side + ".position_ids");
                float[] expected = golden.floats(side + ".logits");
                int length = positions[0].length;
                float[] logits = allLogits(scope, model, batch);
                for (int token = 0; token < batch.tokens(); token++) {
                    int row = places.get(token)[0];
                    int column = places.get(token)[1];
                    assertThat(batch.positions()[token]).isEqualTo(positions[row][column]);
                    int at = (row * length + column) * vocab;
                    for (int id = 0; id < vocab; id++) {
                        assertThat((double) logits[token * vocab + id])
                                .as("%s logit of token %d at %d, %d", side, id, row, column)
                                .isCloseTo(expected[at + id], Offset.offset(tolerance));
                    }
                }
                nextLogProbs(golden, scope, model, side, tolerance);
            }
        }
    }

    private static float[] allLogits(Scope scope, CausalLanguageModel model, TokenBatch batch) {
        try (Scope work = scope.child("logits")) {
            KvCache cache = new KvCache(work, model.config(), DType.FP32, 4, 64);
            Tensor logits =
                    work.allocate(DType.FP32, batch.tokens(), model.config().vocabSize());
            for (int sequence = 0; sequence < batch.sequences(); sequence++) {
                CachedSequence cached = cache.open();
                for (int token = batch.starts()[sequence]; token < batch.starts()[sequence + 1]; token++) {
                    Tensor hidden = model.extend(work, cache, List.of(cached), List.of(new int[] {batch.ids()[token]}));
                    work.backend().logits(model.head(1f), hidden, logits.slice(token, token + 1));
                }
            }
            return logits.toFloats();
        }
    }

    private static void nextLogProbs(
            GoldenModel golden, Scope scope, CausalLanguageModel model, String side, double tolerance)
            throws IOException {
        TokenBatch batch = golden.batch(side);
        List<int[]> places = golden.places(side);
        float[] expected = golden.floats(side + ".next_logp");
        int length = golden.integers(side + ".input_ids")[0].length - 1;
        int[] rows = IntStream.range(0, batch.tokens())
                .filter(token -> IntStream.of(batch.lastRows()).noneMatch(last -> last == token))
                .toArray();
        int[] targets = IntStream.of(rows).map(row -> batch.ids()[row + 1]).toArray();
        float[] wanted = new float[rows.length];
        for (int i = 0; i < rows.length; i++) {
            int[] place = places.get(rows[i]);
            wanted[i] = expected[place[0] * length + place[1]];
        }
        assertWithin(
                tolerance,
                model.logProbs(scope, batch, rows, targets, 1f, false).logProbs(),
                wanted,
                side + ".next_logp");
    }

    /** Mean cross-entropy over the tokens of {@code labels}; adds its gradients. */
    static double meanLossAndBackward(GoldenModel golden, Scope scope, CausalLanguageModel model, String labels)
            throws IOException {
        GoldenModel.Predictions predictions = golden.predictions(labels);
        float each = -1f / predictions.rows().length;
        TokenLogProbs results = model.logProbsAndBackward(
                scope,
                golden.batch("right"),
                predictions.rows(),
                predictions.targets(),
                1f,
                (index, logProb, entropy) -> each,
                false);
        double sum = 0;
        for (float logProb : results.logProbs()) {
            sum -= logProb;
        }
        return sum / predictions.rows().length;
    }

    static double gradientNorm(List<ParameterUnit> units) {
        double sum = 0;
        for (ParameterUnit unit : units) {
            sum += unit.gradients().backend().sumOfSquares(unit.gradients());
        }
        return Math.sqrt(sum);
    }

    private void gradientsOfFullLoss(GoldenModel golden) throws IOException {
        for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
            try (Scope scope = Scope.root(backend, "golden");
                    TensorReader gradients = golden.gradients()) {
                CausalLanguageModel model = golden.load(scope);
                model.setCheckpointing(checkpointing);
                model.allocateGradients(scope, DType.FP32);
                long before = scope.bytes();
                double loss = meanLossAndBackward(golden, scope, model, "labels");
                assertThat(loss).isCloseTo(golden.scalar("loss_full").doubleValue(), offset(golden.tolerance()));
                assertThat(scope.bytes()).as("bytes left behind").isLessThan(before + 100_000);
                WeightBinding binding = ModelDirectory.bind(model.source(), model.config(), model.units());
                assertThat(gradients.tensors()).hasSameSizeAs(binding.tensors());
                for (String name : gradients.tensors().keySet()) {
                    assertGradient(binding.gradientOf(name), gradients.readFloats(name), name);
                }
                assertRelative(
                        1e-4,
                        gradientNorm(model.units()),
                        golden.scalar("grad_norm_full").doubleValue(),
                        "gradient norm");
            }
        }
    }

    private void gradientsOfMaskedLoss(GoldenModel golden) throws IOException {
        try (Scope scope = Scope.root(backend, "golden")) {
            CausalLanguageModel model = golden.load(scope);
            model.allocateGradients(scope, DType.FP32);
            double loss = meanLossAndBackward(golden, scope, model, "labels_prompt_masked");
            assertThat(loss).isCloseTo(golden.scalar("loss_prompt_masked").doubleValue(), offset(golden.tolerance()));
            assertGradients(golden, "grad_prompt_masked.", model);
            assertRelative(
                    1e-4,
                    gradientNorm(model.units()),
                    golden.scalar("grad_norm_prompt_masked").doubleValue(),
                    "gradient norm");
        }
    }

    static void assertGradients(GoldenModel golden, String prefix, CausalLanguageModel model) throws IOException {
        WeightBinding binding = ModelDirectory.bind(model.source(), model.config(), model.units());
        for (String name : golden.tensorNames()) {
            if (name.startsWith(prefix)) {
                assertGradient(binding.gradientOf(name.substring(prefix.length())), golden.floats(name), name);
            }
        }
    }

    private void generation(GoldenModel golden) throws IOException {
        double tolerance = golden.tolerance();
        TokenBatch prompts =
                TokenBatch.fromPadded(golden.integers("gen.prompt_ids"), golden.integers("gen.prompt_mask"));
        int[][] expected = golden.integers("gen.ids");
        float[] logProbs = golden.floats("gen.logp");
        try (Scope scope = Scope.root(backend, "golden")) {
            CausalLanguageModel model = golden.load(scope);
            GreedyDecoding decoding = new GreedyDecoding(model, prompts, expected[0].length);
            decoding.run(scope);
            assertThat(decoding.ids()).isDeepEqualTo(expected);
            assertWithin(tolerance, decoding.logProbs(), logProbs, "gen.logp");
        }
        afterEnd(golden, expected, logProbs);
    }

    /** Until its end token a row is the same with and without one. */
    private static void afterEnd(GoldenModel golden, int[][] free, float[] freeLogProbs) throws IOException {
        int end = golden.scalar("gen_eos.eos_token_id").intValue();
        int pad = golden.scalar("pad_token_id").intValue();
        int[][] ids = golden.integers("gen_eos.ids");
        int[][] mask = golden.integers("gen_eos.mask");
        float[] logProbs = golden.floats("gen_eos.logp");
        for (int row = 0; row < ids.length; row++) {
            boolean ended = false;
            for (int column = 0; column < ids[row].length; column++) {
                int at = row * ids[row].length + column;
                assertThat(mask[row][column]).isEqualTo(ended ? 0 : 1);
                assertThat(ids[row][column]).isEqualTo(ended ? pad : free[row][column]);
                assertThat(logProbs[at])
                        .isCloseTo(ended ? 0f : freeLogProbs[row * free[row].length + column], offset(1e-4f));
                ended |= ids[row][column] == end;
            }
        }
    }

    private void roundTrip(GoldenModel golden) throws IOException {
        Path folder = Files.createTempDirectory("model");
        org.apache.hadoop.fs.Path directory = new org.apache.hadoop.fs.Path(folder.toUri());
        try (Scope scope = Scope.root(backend, "golden")) {
            CausalLanguageModel model = golden.load(scope);
            GoldenModel.directories().save(model, directory, io.rlhf4j.format.ElementType.F32);
            CausalLanguageModel again = GoldenModel.directories().loadCausal(directory, scope, DType.FP32);
            assertThat(folder.resolve("tokenizer.json"))
                    .hasSameBinaryContentAs(golden.folder().resolve("tokenizer.json"));
            assertThat(again.config()).isEqualTo(model.config());
            List<ParameterUnit> units = new ArrayList<>(model.units());
            for (int i = 0; i < units.size(); i++) {
                assertThat(again.units().get(i).values().toFloats())
                        .isEqualTo(units.get(i).values().toFloats());
            }
        } finally {
            org.apache.hadoop.fs.FileUtil.fullyDelete(folder.toFile());
        }
    }

    private static Offset<Double> offset(double value) {
        return Offset.offset(value);
    }

    private static Offset<Float> offset(float value) {
        return Offset.offset(value);
    }
}
