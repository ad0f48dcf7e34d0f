package io.rlhf4j.deploy.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.condition.OS;

/**
 * A standalone cluster of Spark: a master and workers as plain JVMs from the jars of the distribution. What a Spark
 * installation has beside its jars, {@code spark-submit}, is made here from Spark's own launcher.
 */
final class StandaloneCluster implements AutoCloseable {
    private static final Duration START = Duration.ofMinutes(3);
    private static final Path DISTRIBUTION = Path.of("target", "rlhf4j").toAbsolutePath();
    private static final String HOST = "127.0.0.1";

    private final Path folder;
    private final Path sparkHome;
    private final Jvm master;
    private final String url;
    private final List<Jvm> workers = new ArrayList<>();

    /** Starts a master; its files and those of the workers lie in {@code folder}. */
    StandaloneCluster(Path folder) throws IOException, InterruptedException {
        if (!Files.isDirectory(DISTRIBUTION.resolve("lib"))) {
            throw new AssertionError(
                    "there is no distribution in %s: run `mvn -Pcluster verify`".formatted(DISTRIBUTION));
        }
        // Maven has packaged it just before: the launch script need not.
        Files.writeString(DISTRIBUTION.resolve(".built"), "");
        this.folder = folder;
        this.sparkHome = sparkHome(folder);
        this.master = jvm(
                "master",
                HOST,
                "org.apache.spark.deploy.master.Master",
                "--host",
                HOST,
                "--port",
                "0",
                "--webui-port",
                "0");
        this.url = master.await(Pattern.compile("Starting Spark master at (spark://\\S+)"), START);
    }

    /** Adds a worker. */
    Jvm addWorker(int cores, String memory) throws IOException, InterruptedException {
        String name = "worker-" + workers.size();
        String host = host(workers.size());
        Jvm worker = jvm(
                name,
                host,
                "org.apache.spark.deploy.worker.Worker",
                "--host",
                host,
                "--webui-port",
                "0",
                "--cores",
                Integer.toString(cores),
                "--memory",
                memory,
                "--work-dir",
                folder.resolve(name).toString(),
                url);
        workers.add(worker);
        worker.await(Pattern.compile("(Successfully registered) with master"), START);
        return worker;
    }

    /** The executors that live now. */
    List<ExecutorProcess> executors() {
        return workers.stream()
                .flatMap(Jvm::descendants)
                .flatMap(process -> ExecutorProcess.of(process).stream())
                .toList();
    }

    /**
     * Starts {@code bin/rlhf4j --submit}, which starts {@code spark-submit}.
     *
     * @param options of spark-submit
     * @param command the program's own command line
     */
    Jvm submit(String name, List<String> options, List<String> command) throws IOException {
        List<String> line = new ArrayList<>(List.of("bash", script(), "--submit", "--master", url));
        line.addAll(options);
        line.add("--");
        line.addAll(command);
        return start(name, line);
    }

    /** Starts {@code spark-submit} with the one jar of the contract. */
    Jvm sparkSubmit(String name, List<String> options, List<String> command) throws IOException {
        List<String> line =
                new ArrayList<>(List.of(sparkHome.resolve("bin/spark-submit").toString(), "--master", url));
        line.addAll(options);
        line.addAll(List.of("--class", "io.rlhf4j.driver.Main", driverJar()));
        line.addAll(command);
        return start(name, line);
    }

    /** Starts a command of {@code bin/rlhf4j} on this machine, without Spark's cluster. */
    Jvm tool(String name, String... command) throws IOException {
        List<String> line = new ArrayList<>(List.of("bash", script()));
        line.addAll(List.of(command));
        return start(name, line);
    }

    /** Each worker is a host of its own to Spark, where this machine answers to more than one address. */
    private static String host(int worker) {
        return OS.LINUX.isCurrentOs() ? "127.0.0." + (2 + worker) : HOST;
    }

    private Jvm start(String name, List<String> line) throws IOException {
        return start(name, HOST, line);
    }

    private Jvm start(String name, String host, List<String> line) throws IOException {
        return Jvm.start(folder, folder.resolve(name + ".log"), environment(host), line);
    }

    private Jvm jvm(String name, String host, String main, String... arguments) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                java(),
                "@" + DISTRIBUTION.resolve("jvm.options"),
                "-Xmx256m",
                // A machine that is busy elsewhere for a minute is not to lose its workers.
                "-Dspark.worker.timeout=600",
                // Without this a worker takes the signal of preemption, PWR, for its end.
                "-Dspark.decommission.enabled=true",
                "-cp",
                sparkHome.resolve("jars") + "/*",
                main));
        line.addAll(List.of(arguments));
        return start(name, host, line);
    }

    private Map<String, String> environment(String host) {
        return Map.of(
                "SPARK_HOME",
                sparkHome.toString(),
                "SPARK_LOCAL_IP",
                host,
                // Spark's launcher looks for it where it does not find a whole installation.
                "SPARK_SCALA_VERSION",
                "2.13",
                "JAVA_HOME",
                System.getProperty("java.home"),
                "RLHF4J_HEAP",
                "512m",
                "RLHF4J_MEMORY",
                "1g");
    }

    private static String script() {
        return Path.of("bin", "rlhf4j").toAbsolutePath().toString();
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static String driverJar() throws IOException {
        try (java.util.stream.Stream<Path> jars = Files.list(DISTRIBUTION.resolve("lib"))) {
            return jars.filter(jar -> jar.getFileName().toString().startsWith("rlhf4j-driver-"))
                    .findFirst()
                    .orElseThrow()
                    .toString();
        }
    }

    /** A folder of jars is enough for masters and workers; the script does what Spark's own does with the launcher. */
    private static Path sparkHome(Path folder) throws IOException {
        Path home = Files.createDirectories(folder.resolve("spark"));
        Files.createSymbolicLink(home.resolve("jars"), DISTRIBUTION.resolve("spark/jars"));
        Path submit = Files.createDirectories(home.resolve("bin")).resolve("spark-submit");
        Files.writeString(
                submit,
                """
                #!/usr/bin/env bash
                set -euo pipefail
                mapfile -d '' -t line < <("$JAVA_HOME/bin/java" -cp "$SPARK_HOME/jars/*" \\
                    org.apache.spark.launcher.Main org.apache.spark.deploy.SparkSubmit "$@")
                # The launcher begins with an empty word and the end of a line.
                line=("${line[@]:1}")
                exec "${line[0]#$'\\n'}" "${line[@]:1}"
                """);
        Files.setPosixFilePermissions(submit, PosixFilePermissions.fromString("rwxr-xr-x"));
        return home;
    }

    @Override
    public void close() {
        for (Jvm worker : workers) {
            worker.close();
        }
        master.close();
    }
}
