package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.workers.runtime.Slot;
import java.io.Serializable;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What every task of step 3 is told. The configuration travels as text, which every JVM reads in the same way.
 *
 * @param configuration the run's whole configuration
 * @param hadoop of the file systems
 * @param models that the step starts from
 * @param attempt changes whenever the driver begins anew, so that nothing of an abandoned attempt is used
 */
record TaskSettings(String configuration, SerializableConfiguration hadoop, PpoModels models, String attempt)
        implements Serializable {
    RunConfig config() {
        return ConfigFile.read(configuration, "the run's configuration", List.of());
    }

    Configuration hadoopConfiguration() {
        return hadoop.value();
    }

    RunFolder folder(RunConfig config) {
        return RunFolder.of(config, hadoop.value());
    }

    /** The slot's backend as the run wants it. */
    static Backend backend(Slot slot, RunConfig config) {
        return slot.backend(config.compute().backend(), config.cluster().threadsOrShare());
    }
}
