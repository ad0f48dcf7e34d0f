package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SftConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.TinyRows;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Ranks;
import io.rlhf4j.workers.training.SftTrainer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElasticStateTest {
    private static final int STEPS = 5;
    private static final SftConfig SETTINGS = ConfigFile.parse(
            SftConfig.class, "{optimizer: {learning_rate: 3.0e-3, schedule: {kind: linear, warmup: 0.1}}}");
    private static final Configuration HADOOP = new Configuration();

    @TempDir
    private Path folder;

    /** A saved state: the files of all ranks that wrote it. */
    private record Saved(EngineProgress progress, List<org.apache.hadoop.fs.Path> files) {
        static final Saved NONE = new Saved(EngineProgress.START, List.of());
    }

    private record Leg(List<Double> losses, Saved saved) {}

    @ParameterizedTest
    @EnumSource(DType.class)
    void otherRanksAtAnotherStageContinueTheSameLossCurve(DType type) throws Exception {
        Leg undisturbed = train(1, ZeroStage.REPLICATED, type, 4 * STEPS, Saved.NONE);
        Leg first = train(4, ZeroStage.GRADIENTS, type, STEPS, Saved.NONE);
        Leg second = train(2, ZeroStage.OPTIMIZER, type, STEPS, first.saved());
        Leg third = train(3, ZeroStage.REPLICATED, type, STEPS, second.saved());
        Leg fourth = train(4, ZeroStage.WEIGHTS, type, STEPS, third.saved());

        List<Double> losses = new ArrayList<>();
        List.of(first, second, third, fourth).forEach(leg -> losses.addAll(leg.losses()));
        double tolerance = type == DType.FP32 ? 1e-4 : 2e-2;
        for (int step = 0; step < 4 * STEPS; step++) {
            double expected = undisturbed.losses().get(step);
            assertThat(losses.get(step)).isCloseTo(expected, within(expected * tolerance));
        }
        assertThat(losses.get(4 * STEPS - 1)).isLessThan(0.95 * losses.get(0));
        assertThat(fourth.saved().progress()).isEqualTo(new EngineProgress(4 * STEPS, 4 * STEPS, 0));
    }

    @ParameterizedTest
    @EnumSource(ZeroStage.class)
    void asManyRanksContinueTheSameBitsAtAnyStage(ZeroStage stage) throws Exception {
        Leg undisturbed = train(3, ZeroStage.REPLICATED, DType.FP32, 2 * STEPS, Saved.NONE);
        Leg first = train(3, ZeroStage.REPLICATED, DType.FP32, STEPS, Saved.NONE);
        Leg second = train(3, stage, DType.FP32, STEPS, first.saved());

        assertThat(second.losses()).isEqualTo(undisturbed.losses().subList(STEPS, 2 * STEPS));
    }

    @Test
    void aStateWithoutTheFileOfOneRankIsRefused() throws Exception {
        Leg first = train(3, ZeroStage.GRADIENTS, DType.FP32, 1, Saved.NONE);
        Saved incomplete =
                new Saved(first.saved().progress(), first.saved().files().subList(0, 2));

        assertThatThrownBy(() -> train(1, ZeroStage.REPLICATED, DType.FP32, 1, incomplete))
                .rootCause()
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("are not there")
                .hasMessageContaining("the files of all ranks");
    }

    private Leg train(int worldSize, ZeroStage stage, DType type, int steps, Saved saved) throws Exception {
        LocalGroup group = new LocalGroup(worldSize, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, worldSize).mapToObj(group::member).toList();
        try (Ranks<Leg> ranks = new Ranks<>(members)) {
            List<Leg> legs = ranks.all(collectives -> train(collectives, stage, type, steps, saved));
            List<org.apache.hadoop.fs.Path> files =
                    legs.stream().flatMap(leg -> leg.saved().files().stream()).toList();
            return new Leg(legs.get(0).losses(), new Saved(legs.get(0).saved().progress(), files));
        }
    }

    private Leg train(Collectives collectives, ZeroStage stage, DType type, int steps, Saved saved) throws Exception {
        try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
            // Another seed than the one before: what counts is what was saved.
            long seed = saved.files().isEmpty() ? 11 : 12;
            CausalLanguageModel model = TinyModels.causal(Kind.LLAMA, scope, type, seed);
            TrainingEngine engine = new TrainingEngine(
                    model, new EngineSettings(stage, SETTINGS.optimizer(), 20, DType.FP32, 0), collectives, scope);
            if (!saved.files().isEmpty()) {
                engine.restore(saved.progress(), saved.files(), HADOOP);
            }
            SftTrainer trainer = new SftTrainer(model, engine, collectives, scope, SETTINGS, 4096);
            List<Double> losses = new ArrayList<>();
            for (int step = 0; step < steps; step++) {
                long number = saved.progress().position() + step;
                losses.add(trainer.step(TinyRows.texts(12, (int) number)).get("loss"));
            }
            EngineProgress progress = engine.progress();
            String name =
                    "step-%d-%d-of-%d".formatted(progress.position(), collectives.rank(), collectives.worldSize());
            org.apache.hadoop.fs.Path file =
                    new org.apache.hadoop.fs.Path(folder.resolve(stage + name).toUri());
            new SafetensorsWriter(HADOOP).write(file, engine.state(), Map.of());
            return new Leg(losses, new Saved(progress, List.of(file)));
        }
    }
}
