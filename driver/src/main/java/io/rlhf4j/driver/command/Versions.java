package io.rlhf4j.driver.command;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.util.VersionInfo;
import org.apache.spark.package$;
import picocli.CommandLine.IVersionProvider;

/** Versions of the program and of what it stands on. */
public final class Versions implements IVersionProvider {
    /** By name. */
    public static Map<String, String> all() {
        String own = Versions.class.getPackage().getImplementationVersion();
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put("rlhf4j", own == null ? "development" : own);
        versions.put("spark", package$.MODULE$.SPARK_VERSION());
        versions.put("hadoop", VersionInfo.getVersion());
        versions.put("java", Runtime.version().toString());
        return versions;
    }

    @Override
    public String[] getVersion() {
        return all().entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .toArray(String[]::new);
    }
}
