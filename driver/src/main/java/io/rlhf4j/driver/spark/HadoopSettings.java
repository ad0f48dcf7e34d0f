package io.rlhf4j.driver.spark;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Secrets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * How files are reached before there is a Spark session: the run's lease is taken and its plan made then. The same settings
 * as the session's, because Hadoop keeps one connection to a file system, made with what the first who asks for it says.
 */
public final class HadoopSettings {
    private static final String PREFIX = "spark.hadoop.";

    private HadoopSettings() {}

    /** Of Hadoop's own files, and of spark-submit ({@code --conf spark.hadoop.*}). */
    public static Configuration ofProcess() {
        return SparkHadoopUtil.get().newConfiguration(new SparkConf());
    }

    /**
     * The same with {@code spark.hadoop.*} of the run's {@code cluster.spark}, which go before.
     *
     * @throws io.rlhf4j.error.Rlhf4jException of kind CONFIGURATION where a secret that they refer to is not there
     */
    public static Configuration of(RunConfig config) {
        SparkConf conf = new SparkConf();
        ofRun(config).forEach(conf::set);
        return SparkHadoopUtil.get().newConfiguration(conf);
    }

    /** {@code spark.hadoop.*} of the run's {@code cluster.spark}, with what secrets stand for. */
    static Map<String, String> ofRun(RunConfig config) {
        Map<String, String> ours = new LinkedHashMap<>(config.cluster().spark());
        ours.keySet().removeIf(key -> !key.startsWith(PREFIX));
        return new Secrets(System.getenv()).resolve(ours);
    }
}
