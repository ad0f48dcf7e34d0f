package io.rlhf4j.driver.spark;

import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import org.apache.spark.SparkConf;

/**
 * The jars that executors need. Whoever submits names the driver's jar alone; its manifest names the libraries, which lie
 * beside it, and Spark is told of them here.
 */
final class ApplicationJars {
    private static final String KEY = "spark.jars";

    private ApplicationJars() {}

    /** Adds to what Spark ships already; where the program does not come from a jar, everybody has a class path. */
    static void addTo(SparkConf conf) {
        Optional<Path> own = ownJar();
        if (own.isEmpty() || conf.get("spark.master", "local").startsWith("local[")) {
            return;
        }
        Set<String> jars = new LinkedHashSet<>(List.of(conf.get(KEY, "").split(",")));
        jars.remove("");
        Set<String> names = new LinkedHashSet<>();
        jars.forEach(jar -> names.add(fileName(jar)));
        for (Path jar : withLibraries(own.get())) {
            if (names.add(jar.getFileName().toString())) {
                jars.add(jar.toUri().toString());
            }
        }
        conf.set(KEY, String.join(",", jars));
    }

    private static String fileName(String uri) {
        return uri.substring(uri.lastIndexOf('/') + 1);
    }

    private static Optional<Path> ownJar() {
        try {
            URI source = ApplicationJars.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI();
            return Optional.of(Path.of(source)).filter(Files::isRegularFile);
        } catch (URISyntaxException unusual) {
            throw new IllegalStateException("the program lies at no proper URI", unusual);
        }
    }

    /** The jar, and those its manifest names as far as they are there; the others may be part of the Spark installation. */
    static Set<Path> withLibraries(Path jar) {
        Set<Path> jars = new LinkedHashSet<>(List.of(jar));
        try (JarFile file = new JarFile(jar.toFile())) {
            String names = file.getManifest() == null
                    ? ""
                    : file.getManifest()
                            .getMainAttributes()
                            .getOrDefault(Attributes.Name.CLASS_PATH, "")
                            .toString();
            for (String name : names.split(" ", -1)) {
                Path library = jar.resolveSibling(name);
                if (!name.isEmpty() && Files.isRegularFile(library)) {
                    jars.add(library);
                }
            }
            return jars;
        } catch (IOException unreadable) {
            throw Rlhf4jException.data(jar + " cannot be read: " + unreadable.getMessage(), unreadable);
        }
    }
}
