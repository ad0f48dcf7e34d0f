package io.rlhf4j.workers.engine;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SftConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.TinyRows;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.network.FolderMeeting;
import io.rlhf4j.workers.training.SftTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** The main program of a JVM that trains as one of several ranks, in as much memory as its options allow. */
public final class LimitedRank {
    /** What the JVM ends with where memory does not suffice. */
    static final int NO_MEMORY = 4;

    private static final SftConfig SETTINGS = ConfigFile.parse(SftConfig.class, "{optimizer: {learning_rate: 1.0e-3}}");
    private static final Duration DEADLINE = Duration.ofMinutes(5);
    private static final int STEPS = 3;

    private LimitedRank() {}

    /**
     * Trains, and writes the losses and the weights to {@code losses-<rank>} and {@code weights-<rank>}.
     *
     * @param arguments folder, directory of the model, stage, {@code memory} or {@code disk}, rank, ranks
     */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        ZeroStage stage = ZeroStage.of(Integer.parseInt(arguments[2]));
        Optional<Path> statesOnDisk = arguments[3].equals("disk") ? Optional.of(folder) : Optional.empty();
        int rank = Integer.parseInt(arguments[4]);
        int ranks = Integer.parseInt(arguments[5]);
        try (Collectives collectives =
                        ranks == 1 ? LocalGroup.single() : FolderMeeting.join(folder, rank, ranks, DEADLINE);
                Scope scope = Scope.root(TinyModels.backend(), "rank")) {
            WeightCutting cutting = new WeightCutting(stage, collectives, scope);
            CausalLanguageModel model = new ModelDirectory(new Configuration())
                    .loadCausal(new org.apache.hadoop.fs.Path(arguments[1]), scope, DType.FP32, cutting);
            TrainingEngine engine = new TrainingEngine(
                    model,
                    new EngineSettings(stage, SETTINGS.optimizer(), STEPS, DType.FP32, 0, statesOnDisk),
                    cutting);
            SftTrainer trainer = new SftTrainer(model, engine, collectives, scope, SETTINGS, 4096);
            List<String> losses = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                losses.add(
                        Double.toString(trainer.step(TinyRows.texts(12, step)).get("loss")));
            }
            Files.write(folder.resolve("losses-" + rank), losses);
            engine.onFirstRank(() -> new ModelDirectory(new Configuration())
                    .save(
                            model,
                            new org.apache.hadoop.fs.Path(
                                    folder.resolve("weights").toUri()),
                            ElementType.F32));
        } catch (Rlhf4jException refused) {
            System.err.println(refused.getMessage());
            System.exit(refused.kind().exitCode());
        }
    }
}
