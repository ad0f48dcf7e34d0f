package io.rlhf4j.workers.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.SftConfig;
import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.TinyModels.Kind;
import io.rlhf4j.workers.TinyPpo;
import io.rlhf4j.workers.TinyRows;
import io.rlhf4j.workers.collective.LocalGroup;
import io.rlhf4j.workers.collective.Ranks;
import io.rlhf4j.workers.collective.network.Meetings;
import io.rlhf4j.workers.collective.network.NetworkSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a run tells of its network, against what stage 0 has to send. */
class CommunicationMetricsTest {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final int FP32 = 4;

    /** Bytes told, and bytes that they have to be. */
    private record Told(double bytes, double formula) {}

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void anIterationTellsTheBytesOfAllStepsOfActorAndCritic(int worldSize) throws Exception {
        List<Told> all = onNetwork(worldSize, collectives -> {
            try (TinyPpo ppo = new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, collectives)) {
                Map<String, Double> metrics = ppo.iterate(0).metrics();
                double parameters = parameters(ppo.actor) + parameters(ppo.critic);
                return new Told(
                        metrics.get("communication_bytes"),
                        metrics.get("optimizer_steps") * ofAStep(parameters, worldSize));
            }
        });
        assertThat(all).hasSize(worldSize).allSatisfy(told -> assertThat(told.bytes())
                .isCloseTo(told.formula(), withinPercentage(2)));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void aStepOfFineTuningTellsItsBytes(int worldSize) throws Exception {
        List<Told> all = onNetwork(worldSize, collectives -> {
            try (TinyPpo ppo = new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, collectives)) {
                SftTrainer trainer = new SftTrainer(
                        ppo.actor,
                        ppo.actorEngine,
                        collectives,
                        ppo.scope,
                        ConfigFile.parse(SftConfig.class, "{}"),
                        4096);
                Map<String, Double> metrics = trainer.step(TinyRows.texts(12, 5));
                assertThat(metrics.get("seconds_communicate")).isPositive();
                return new Told(metrics.get("communication_bytes"), ofAStep(parameters(ppo.actor), worldSize));
            }
        });
        assertThat(all).hasSize(worldSize).allSatisfy(told -> assertThat(told.bytes())
                .isCloseTo(told.formula(), withinPercentage(2)));
    }

    @Test
    void ranksOfOneJvmSendNothing() {
        try (TinyPpo ppo = new TinyPpo(Kind.LLAMA, Kind.OPT, DType.FP32, LocalGroup.single())) {
            assertThat(ppo.iterate(0).metrics()).containsEntry("communication_bytes", 0.0);
        }
    }

    private static List<Told> onNetwork(int worldSize, Ranks.Action<Told> work) throws Exception {
        try (Ranks<Told> ranks = new Ranks<>(Meetings.group(worldSize, NetworkSettings.of("127.0.0.1", DEADLINE)))) {
            return new ArrayList<>(ranks.all(work));
        }
    }

    private static double parameters(LayeredModel model) {
        return model.units().stream().mapToLong(ParameterUnit::elements).sum();
    }

    /** A reduce-scatter and an all-gather of all gradients. */
    private static double ofAStep(double parameters, int worldSize) {
        return 2.0 * FP32 * parameters * (worldSize - 1) / worldSize;
    }
}
