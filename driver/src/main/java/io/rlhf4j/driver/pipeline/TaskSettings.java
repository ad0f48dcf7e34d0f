package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.run.Fence;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.runtime.MemoryUse;
import io.rlhf4j.workers.runtime.Slot;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What every task of step 3 is told. The configuration travels as text, which every JVM reads in the same way.
 *
 * @param configuration the run's whole configuration
 * @param hadoop of the file systems
 * @param models that the step starts from
 * @param fence asked before anything is written to the run's folder
 * @param attempt changes whenever the driver begins anew, so that nothing of an abandoned attempt is used
 */
record TaskSettings(
        String configuration, SerializableConfiguration hadoop, PpoModels models, Fence fence, String attempt)
        implements Serializable {
    RunConfig config() {
        return ConfigFile.read(configuration, "the run's configuration", List.of());
    }

    Configuration hadoopConfiguration() {
        return hadoop.value();
    }

    RunFolder folder(RunConfig config) {
        return RunFolder.of(config, hadoop.value(), fence);
    }

    /** A scope of the slot's backend as the run wants it, counted with all others of this step. */
    static Scope scope(Slot slot, RunConfig config, String name) {
        Backend backend =
                slot.backend(config.compute().backend(), config.cluster().threadsOrShare());
        return slot.scope(family(config), name, backend);
    }

    /** What this step has needed in the slot, and in its process. */
    static Map<String, Double> memoryUse(Slot slot, RunConfig config) {
        return MemoryUse.of(slot, family(config));
    }

    private static String family(RunConfig config) {
        return config.path() + " " + Step.PPO.key();
    }
}
