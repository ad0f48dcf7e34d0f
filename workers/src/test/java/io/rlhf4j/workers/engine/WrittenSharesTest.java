package io.rlhf4j.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.hub.ModelShare;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.TinyModels;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Ranks;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Ranks of which each has a part of every unit write a model together. */
class WrittenSharesTest {
    private static final int WORLD_SIZE = 3;

    @TempDir
    private Path folder;

    /** One that a rank writes, one that is gathered, and the next one. */
    @ParameterizedTest
    @EnumSource(Kind.class)
    void aRankHoldsThreeWholeUnitsAtMost(Kind kind) throws Exception {
        LocalGroup group = new LocalGroup(WORLD_SIZE, Duration.ofSeconds(60));
        List<Collectives> members =
                IntStream.range(0, WORLD_SIZE).mapToObj(group::member).toList();
        try (Ranks<Long> ranks = new Ranks<>(members)) {
            List<Long> more = ranks.all(collectives -> bytesMore(kind, collectives));
            assertThat(more).allSatisfy(bytes -> assertThat(bytes).isBetween(1L, ofThreeUnits(kind)));
        }
    }

    private long bytesMore(Kind kind, Collectives collectives) throws IOException {
        try (Scope scope = Scope.root(TinyModels.backend(), "rank")) {
            CausalLanguageModel model = TinyModels.causal(kind, scope, DType.FP32, 1);
            OptimizerConfig optimizer = ConfigFile.parse(OptimizerConfig.class, "{learning_rate: 1.0e-3}");
            TrainingEngine engine = new TrainingEngine(
                    model, new EngineSettings(ZeroStage.WEIGHTS, optimizer, 10, DType.FP32, 0), collectives, scope);
            long before = engine.peakBytes();
            engine.onAllRanks(() -> new ModelDirectory(new Configuration())
                    .saveShare(
                            model,
                            new org.apache.hadoop.fs.Path(folder.toUri()),
                            ElementType.F32,
                            new ModelShare(collectives.rank(), WORLD_SIZE)));
            long more = engine.peakBytes() - before;
            engine.close();
            return more;
        }
    }

    private static long ofThreeUnits(Kind kind) {
        try (Scope scope = Scope.root(TinyModels.backend(), "whole")) {
            return TinyModels.causal(kind, scope, DType.FP32, 1).units().stream()
                    .map(unit -> 4L * unit.elements())
                    .sorted(Comparator.reverseOrder())
                    .limit(3)
                    .mapToLong(Long::longValue)
                    .sum();
        }
    }
}
