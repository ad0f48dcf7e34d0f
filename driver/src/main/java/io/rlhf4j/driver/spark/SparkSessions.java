package io.rlhf4j.driver.spark;

import io.rlhf4j.config.ClusterConfig;
import io.rlhf4j.config.ClusterConfig.Transport;
import io.rlhf4j.config.MemorySize;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Secrets;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.sql.SparkSession;

/** Starts the Spark session of a run. */
public final class SparkSessions {
    /** What every JVM needs beside what Spark adds itself: the Vector API, and its loads by address. */
    private static final String JVM_OPTIONS = "--add-modules=jdk.incubator.vector"
            + " --add-exports=java.base/jdk.internal.vm.vector=ALL-UNNAMED "
            + JavaModuleOptions.defaultModuleOptions();

    private static final String EXECUTOR_OPTIONS = "spark.executor.extraJavaOptions";

    /** Of JavaCPP, and of everything here that keeps tensors. */
    private static final String MEMORY_LIMIT = "org.bytedeco.javacpp.maxbytes";

    private SparkSessions() {}

    /**
     * The session that a run needs: Kryo with registration required, the modules and packages that every JVM opens, and
     * the settings of {@code cluster.spark}. With {@code cluster.master: auto} outside of spark-submit, as many local
     * threads as the run has ranks or rollout partitions.
     *
     * @throws io.rlhf4j.error.Rlhf4jException where a setting contradicts the run
     */
    public static SparkSession start(RunConfig config) {
        requireOpenModules();
        SparkConf conf = new SparkConf();
        settings(config, conf.contains("spark.master")).forEach(conf::set);
        if (conf.get("spark.master", "").matches("local(\\[.*])?")) {
            // One process: it is silent where the machine slept or the process was stopped, and then goes on as a
            // whole.
            conf.setIfMissing("spark.storage.blockManagerHeartbeatTimeoutMs", "365d");
        }
        // An executor that is gone is asked for a block once more before another is: not after five seconds.
        conf.setIfMissing("spark.shuffle.io.retryWait", "1s");
        // Else each session has class loaders of its own, in which everything is loaded and compiled once more.
        conf.setIfMissing("spark.sql.artifact.isolation.enabled", "false");
        for (String options : List.of("spark.driver.extraJavaOptions", EXECUTOR_OPTIONS)) {
            conf.set(options, (JVM_OPTIONS + " " + conf.get(options, "")).strip());
        }
        config.cluster().rankMemory().ifPresent(memory -> limitExecutors(conf, memory));
        ApplicationJars.addTo(conf);
        BarrierChecks.requirePossible(conf);
        BarrierChecks.requireSecure(
                conf, config.cluster().ranks(), config.cluster().offload().onDisk());
        if (config.cluster().collectives() == Transport.NCCL) {
            BarrierChecks.requireNcclPossible(conf, config.cluster().ranks());
        }
        return started(conf);
    }

    /**
     * A session in which somebody asks what a run has written: on this machine, unless spark-submit says otherwise, and with
     * the run's ways to reach files. It does not ask for registered classes: queries may have any.
     */
    public static SparkSession forQueries(RunConfig config) {
        requireOpenModules();
        SparkConf conf = new SparkConf();
        conf.set("spark.app.name", "rlhf4j sql " + config.name());
        conf.setIfMissing("spark.master", "local[*]");
        conf.set("spark.ui.enabled", "false");
        conf.set("spark.sql.shuffle.partitions", "8");
        conf.set("spark.sql.session.timeZone", "UTC");
        HadoopSettings.ofRun(config).forEach(conf::set);
        ApplicationJars.addTo(conf);
        try {
            // Spark makes this folder as soon as it is asked anything.
            java.nio.file.Path unused = Files.createTempDirectory("rlhf4j-sql");
            unused.toFile().deleteOnExit();
            conf.setIfMissing("spark.sql.warehouse.dir", unused.toUri().toString());
        } catch (IOException unwritable) {
            throw new Rlhf4jException(
                    ErrorKind.CLUSTER, "no temporary folder can be made: " + unwritable.getMessage(), unwritable);
        }
        return started(conf);
    }

    private static SparkSession started(SparkConf conf) {
        try {
            return SparkSession.builder().config(conf).getOrCreate();
        } catch (Exception failed) {
            // Everything: Scala throws checked exceptions that no signature tells of.
            throw new Rlhf4jException(
                    ErrorKind.CLUSTER,
                    "Spark does not start on master '%s' (%s); is it the right one (cluster.master), and does it answer from this machine?"
                            .formatted(conf.get("spark.master", "none"), failed.getMessage()),
                    failed);
        }
    }

    /** Has executors keep to the memory of their ranks, where it is known how many one has and no other limit is set. */
    private static void limitExecutors(SparkConf conf, MemorySize ofRank) {
        String options = conf.get(EXECUTOR_OPTIONS);
        if (conf.contains("spark.executor.cores") && !options.contains(MEMORY_LIMIT)) {
            int ranks = Math.max(1, conf.getInt("spark.executor.cores", 1) / conf.getInt("spark.task.cpus", 1));
            conf.set(EXECUTOR_OPTIONS, "%s -D%s=%d".formatted(options, MEMORY_LIMIT, ranks * ofRank.bytes()));
        }
    }

    /** Spark gives these options to every JVM but one: the driver's in cluster deploy mode on a standalone cluster. */
    private static void requireOpenModules() {
        Module java = Object.class.getModule();
        if (!java.isOpen("java.nio", SparkSessions.class.getModule())) {
            throw new Rlhf4jException(
                    ErrorKind.CLUSTER,
                    "the driver's JVM runs without the options that Spark needs; give spark-submit --driver-java-options \"%s\""
                            .formatted(JVM_OPTIONS));
        }
    }

    /** Spark's settings for a run. Those of spark-submit stay where this has no opinion. */
    private static Map<String, String> settings(RunConfig config, boolean submitted) {
        ClusterConfig cluster = config.cluster();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("spark.app.name", "rlhf4j " + config.name());
        if (!cluster.master().equals("auto")) {
            settings.put("spark.master", cluster.master());
        } else if (!submitted) {
            settings.put("spark.master", "local[%d]".formatted(cluster.ranks()));
        }
        settings.put("spark.ui.enabled", "false");
        settings.put("spark.sql.shuffle.partitions", "8");
        settings.put("spark.sql.session.timeZone", "UTC");
        // Spark's own defaults are ten minutes of silence and a year: a run says within its own limits what is missing.
        settings.put("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "1");
        settings.put("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s");
        settings.put("spark.barrier.sync.timeout", "600");
        settings.putAll(new Secrets(System.getenv()).resolve(cluster.spark()));
        // The driver reads rollouts with the lists of Parquet's standard.
        settings.put("spark.sql.parquet.writeLegacyFormat", "false");
        settings.put("spark.serializer", KryoSerializer.class.getName());
        settings.put("spark.kryo.registrationRequired", "true");
        settings.put("spark.kryo.registrator", Registrations.class.getName());
        return settings;
    }
}
