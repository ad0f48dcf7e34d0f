package io.rlhf4j.driver.bench;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.engine.EngineSettings;
import io.rlhf4j.workers.engine.TrainingEngine;
import io.rlhf4j.workers.engine.ZeroStage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the optimizer takes of a step: the norm of the gradients, clipping and AdamW, without forward and backward pass.
 *
 * @param statesOnDisk the folder where its states lie; empty for memory
 */
public record OptimizerBench(Optional<Path> statesOnDisk) {
    /** Measures one model. */
    public Measurement measure(BenchModel shape, BenchSettings settings) throws IOException {
        OptimizerConfig optimizer = ConfigFile.parse(OptimizerConfig.class, "{learning_rate: 1.0e-5, clip_norm: 1}");
        EngineSettings engineSettings =
                new EngineSettings(ZeroStage.of(0), optimizer, 1000, settings.type(), 0, statesOnDisk);
        Collectives alone = LocalGroup.single();
        try (Scope scope = Scope.root(settings.backend(), "bench")) {
            CausalLanguageModel model = shape.make(scope, settings.type());
            long parameters =
                    model.units().stream().mapToLong(ParameterUnit::elements).sum();
            long states = parameters * (settings.type() == DType.FP32 ? 8 : 12);
            try (TrainingEngine engine = new TrainingEngine(model, engineSettings, alone, scope)) {
                Rounds rounds = Rounds.of(settings, () -> engine.step(List.of(work -> 1)));
                double seconds = Measurement.median(rounds.seconds());
                return new Measurement(
                        "optimizer_step",
                        shape.label(),
                        settings.trainingType(),
                        statesOnDisk.isPresent() ? "states on disk" : "states in memory",
                        parameters,
                        rounds.seconds(),
                        settings,
                        Map.of(
                                "states_mb",
                                states >> 20,
                                // Each state is read and written.
                                "states_gb_per_s",
                                Measurement.rounded(2e-9 * states / seconds, 2),
                                "peak_tensors_mb",
                                scope.peakBytes() >> 20));
            }
        }
    }
}
