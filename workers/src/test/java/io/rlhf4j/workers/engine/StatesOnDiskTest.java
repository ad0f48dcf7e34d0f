package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SftConfig;
import io.rlhf4j.format.SafetensorsWriter;
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
import io.rlhf4j.workers.training.SftTrainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class StatesOnDiskTest {
    private static final int STEPS = 4;
    private static final Duration DEADLINE = Duration.ofMinutes(5);
    private static final SftConfig SETTINGS =
            ConfigFile.parse(SftConfig.class, "{optimizer: {learning_rate: 3.0e-3, weight_decay: 0.1}}");

    @TempDir
    private Path folder;

    /** What a rank shows and holds. */
    private record Run(List<Double> losses, byte[] state, long memory, long disk, EngineMemory predicted) {}

    private static Stream<Arguments> stagesAndTypes() {
        return Stream.of(ZeroStage.values())
                .flatMap(stage -> Stream.of(DType.values()).map(type -> Arguments.of(stage, type)));
    }

    @ParameterizedTest
    @MethodSource("stagesAndTypes")
    void statesOnDiskTrainTheBitsOfStatesInMemory(ZeroStage stage, DType type) throws Exception {
        List<Run> inMemory = runs(stage, type, Optional.empty());
        List<Run> onDisk = runs(stage, type, Optional.of(folder));

        for (int rank = 0; rank < 2; rank++) {
            Run disk = onDisk.get(rank);
            Run memory = inMemory.get(rank);
            assertThat(disk.losses()).isEqualTo(memory.losses());
            assertThat(disk.state()).isEqualTo(memory.state());
            assertThat(memory.disk()).isZero();
            assertThat(memory.memory() - disk.memory()).isEqualTo(disk.disk());
        }
        // The first rank has the larger shards where they are not equal.
        assertThat(onDisk.get(0).disk()).isEqualTo(onDisk.get(0).predicted().diskBytes());
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    private List<Run> runs(ZeroStage stage, DType type, Optional<Path> statesOnDisk) throws Exception {
        LocalGroup group = new LocalGroup(2, DEADLINE);
        List<Collectives> members =
                IntStream.range(0, 2).mapToObj(group::member).toList();
        try (Ranks<Run> ranks = new Ranks<>(members)) {
            return ranks.all(collectives -> run(collectives, stage, type, statesOnDisk));
        }
    }

    private static Run run(Collectives collectives, ZeroStage stage, DType type, Optional<Path> statesOnDisk)
            throws Exception {
        try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
            CausalLanguageModel model = TinyModels.causal(Kind.LLAMA, scope, type, 11);
            EngineSettings settings = new EngineSettings(stage, SETTINGS.optimizer(), STEPS, type, 0.9, statesOnDisk);
            TrainingEngine engine = new TrainingEngine(model, settings, new WeightCutting(stage, collectives, scope));
            SftTrainer trainer = new SftTrainer(model, engine, collectives, scope, SETTINGS, 4096);
            List<Double> losses = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                losses.add(trainer.step(TinyRows.texts(12, step)).get("loss"));
            }
            Path file = Files.createTempFile("state", ".safetensors");
            new SafetensorsWriter(new Configuration())
                    .write(new org.apache.hadoop.fs.Path(file.toUri()), engine.state(), Map.of());
            byte[] state = Files.readAllBytes(file);
            Files.delete(file);
            List<ParameterUnit> units = model.units();
            EngineMemory predicted = EngineMemory.of(
                    units, model.config().head().tied(), type, settings, false, collectives.worldSize());
            return new Run(losses, state, engine.peakBytes(), engine.peakDiskBytes(), predicted);
        }
    }
}
