package io.rlhf4j.driver.identity;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.hadoop.util.VersionInfo;
import org.apache.spark.package$;

/** Versions of the program and of what it stands on. */
public final class LibraryVersions {
    private static final Map<String, String> COMPUTING =
            Map.of("nd4j", "org.nd4j/nd4j-api", "onednn", "org.bytedeco/dnnl");

    private LibraryVersions() {}

    /** By name; libraries that are not on the class path are left out. */
    public static Map<String, String> all() {
        String own = LibraryVersions.class.getPackage().getImplementationVersion();
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put("rlhf4j", own == null ? "development" : own);
        versions.put("spark", package$.MODULE$.SPARK_VERSION());
        versions.put("hadoop", VersionInfo.getVersion());
        versions.put("java", Runtime.version().toString());
        COMPUTING.forEach((name, artifact) -> ofArtifact(artifact).ifPresent(version -> versions.put(name, version)));
        return versions;
    }

    /** What Maven wrote into the artifact's jar. */
    private static Optional<String> ofArtifact(String artifact) {
        String resource = "/META-INF/maven/" + artifact + "/pom.properties";
        try (InputStream stream = LibraryVersions.class.getResourceAsStream(resource)) {
            if (stream == null) {
                return Optional.empty();
            }
            Properties properties = new Properties();
            properties.load(stream);
            return Optional.ofNullable(properties.getProperty("version"));
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot read " + resource, unreadable);
        }
    }
}
