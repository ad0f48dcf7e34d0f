package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SftConfig;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.TinyRows;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Ranks;
import io.rlhf4j.workers.collective.network.Meetings;
import io.rlhf4j.workers.training.SftTrainer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** ZeRO's stages by numbers of ranks: SFT of a batch that one to four ranks divide, 50 steps of each. */
class StageMatrixTest {
    private static final int STEPS = 50;
    private static final int ROWS = 12;
    private static final int ONE_PASS = 4096;
    private static final Duration DEADLINE = Duration.ofMinutes(5);
    private static final SftConfig SETTINGS = ConfigFile.parse(
            SftConfig.class, "{optimizer: {learning_rate: 2.0e-3, schedule: {kind: cosine, warmup: 0.1}}}");

    /** Runs that several tests look at, by what they are. */
    private static final Map<String, Run> DONE = new ConcurrentHashMap<>();

    private record Run(List<Double> losses, Map<String, float[]> weights) {}

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void atEqualRanksAllStagesTrainTheSameBits(int ranks) throws Exception {
        Run replicated = done(ZeroStage.REPLICATED, ranks, ONE_PASS);
        assertThat(replicated.losses().get(STEPS - 1))
                .isLessThan(0.8 * replicated.losses().get(0));
        for (ZeroStage stage : ZeroStage.values()) {
            assertSame(done(stage, ranks, ONE_PASS), replicated);
        }
    }

    @ParameterizedTest
    @EnumSource(ZeroStage.class)
    void acrossRanksTheCurveIsTheSameToRounding(ZeroStage stage) throws Exception {
        List<Double> alone = done(ZeroStage.REPLICATED, 1, ONE_PASS).losses();
        for (int ranks = 2; ranks <= 4; ranks++) {
            assertSameCurve(done(stage, ranks, ONE_PASS).losses(), alone);
        }
    }

    /** Stages reduce after every micro-batch or once: the sums have another order. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void withAccumulationAllStagesAndRanksTrainTheSameToRounding(int ranks) throws Exception {
        List<Double> alone = done(ZeroStage.REPLICATED, 1, ONE_PASS).losses();
        for (ZeroStage stage : ZeroStage.values()) {
            assertSameCurve(run(stage, local(ranks), 20).losses(), alone);
        }
    }

    @ParameterizedTest
    @EnumSource(ZeroStage.class)
    void twoRunsAreTheSameBits(ZeroStage stage) throws Exception {
        assertSame(run(stage, local(3), ONE_PASS), done(stage, 3, ONE_PASS));
        assertSame(run(stage, local(3), 20), run(stage, local(3), 20));
    }

    @ParameterizedTest
    @EnumSource(ZeroStage.class)
    void overSocketsTheBitsAreThoseOfOneJvm(ZeroStage stage) throws Exception {
        List<Collectives> group = Meetings.group(3, Meetings.settings(DEADLINE));
        assertSame(run(stage, group, ONE_PASS), done(stage, 3, ONE_PASS));
    }

    @Test
    void anotherLearningRateIsSeen() throws Exception {
        // What the others assert is not true of any two runs.
        List<Double> other = done(ZeroStage.REPLICATED, 2, ONE_PASS).losses();
        assertThat(other).isNotEqualTo(done(ZeroStage.REPLICATED, 1, ONE_PASS).losses());
    }

    private static void assertSame(Run actual, Run expected) {
        assertThat(actual.losses()).isEqualTo(expected.losses());
        assertThat(actual.weights().keySet()).isEqualTo(expected.weights().keySet());
        expected.weights()
                .forEach((name, values) ->
                        assertThat(actual.weights().get(name)).as(name).isEqualTo(values));
    }

    private static void assertSameCurve(List<Double> actual, List<Double> expected) {
        assertThat(actual).hasSize(STEPS);
        for (int step = 0; step < STEPS; step++) {
            double percentage = 100 * (step < 5 ? 1e-6 : 1e-4);
            assertThat(actual.get(step))
                    .as("step %d", step)
                    .isCloseTo(expected.get(step), withinPercentage(percentage));
        }
    }

    private static Run done(ZeroStage stage, int ranks, int microBatchTokens) throws Exception {
        String name = stage + " " + ranks + " " + microBatchTokens;
        if (!DONE.containsKey(name)) {
            DONE.put(name, run(stage, local(ranks), microBatchTokens));
        }
        return DONE.get(name);
    }

    private static List<Collectives> local(int worldSize) {
        LocalGroup group = new LocalGroup(worldSize, DEADLINE);
        return IntStream.range(0, worldSize).mapToObj(group::member).toList();
    }

    private static Run run(ZeroStage stage, List<Collectives> members, int microBatchTokens) throws Exception {
        try (Ranks<Run> ranks = new Ranks<>(members)) {
            List<Run> runs = ranks.all(collectives -> run(stage, collectives, microBatchTokens));
            for (Run other : runs) {
                assertSame(other, runs.get(0));
            }
            return runs.get(0);
        }
    }

    private static Run run(ZeroStage stage, Collectives collectives, int microBatchTokens) {
        try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
            CausalLanguageModel model = TinyModels.causal(Kind.LLAMA, scope, DType.FP32, 5);
            TrainingEngine engine = new TrainingEngine(
                    model, new EngineSettings(stage, SETTINGS.optimizer(), STEPS, DType.FP32, 0), collectives, scope);
            SftTrainer trainer = new SftTrainer(model, engine, collectives, scope, SETTINGS, microBatchTokens);
            List<Double> losses = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                losses.add(trainer.step(TinyRows.texts(ROWS, step % 10)).get("loss"));
            }
            Map<String, float[]> weights = new TreeMap<>();
            engine.forward(List.of(() -> {
                for (ParameterUnit unit : model.units()) {
                    model.hooks().beforeUse(unit);
                    weights.put(unit.name(), unit.values().toFloats());
                    model.hooks().afterUse(unit);
                }
            }));
            return new Run(losses, weights);
        }
    }
}
