package io.rlhf4j.driver.spark;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.run.Machine;
import io.rlhf4j.workers.runtime.Slot;
import io.rlhf4j.workers.runtime.StateId;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;

/** What the ranks compute with, and how many threads each has, where Spark and not this machine decides it. */
public final class RankMachines {
    private RankMachines() {}

    /**
     * The configuration with {@code cluster.threads} settled: on a cluster a rank has the cores that Spark gives a task
     * ({@code spark.task.cpus}); in local mode this changes nothing.
     */
    public static RunConfig settle(RunConfig config, SparkContext context) {
        if (context.isLocal() || config.cluster().threads() > 0) {
            return config;
        }
        int cores = context.conf().getInt("spark.task.cpus", 1);
        return ConfigFile.read(ConfigFile.write(config), config.name(), List.of("cluster.threads=" + cores));
    }

    /**
     * What the ranks compute with. On a cluster they are asked; the driver may have another processor and other options.
     *
     * @param say hears which GPUs they were given, and where the ranks are not alike, because then it matters to the bits which
     *     rank lies where
     */
    public static Machine of(RunConfig config, SparkContext context, BarrierJob ranks, Consumer<String> say) {
        if (context.isLocal()) {
            return Machine.here(config);
        }
        String yaml = ConfigFile.write(config);
        List<String> told = ranks.run(
                "machine",
                new StateId(config.path(), "machine", 0),
                String.class,
                rank -> tell(ConfigFile.read(yaml, "the run's configuration", List.of()), rank.slot()));
        List<Machine> machines = told.stream()
                .map(text -> Machine.parse(text.lines().findFirst().orElseThrow()))
                .distinct()
                .toList();
        String gpus = told.stream().flatMap(text -> text.lines().skip(1)).collect(Collectors.joining(", "));
        if (!gpus.isEmpty()) {
            say.accept("the ranks were given %s; they compute on backend %s"
                    .formatted(gpus, Machine.of(machines).backend()));
        }
        if (machines.size() > 1) {
            say.accept("the ranks do not compute with the same: %s; a run whose ranks lie elsewhere may have other bits"
                    .formatted(machines));
        }
        return Machine.of(machines);
    }

    /** The machine; in a second line the GPU, if there is one. */
    private static String tell(RunConfig config, Slot slot) {
        String host = SparkEnv.get().blockManager().blockManagerId().host();
        String gpu = slot.gpu()
                .map(address -> "GPU %s of %s".formatted(address, host))
                .orElse("");
        return Machine.here(config).format() + "\n" + gpu;
    }
}
