package io.rlhf4j.driver.command;

import io.rlhf4j.driver.bench.Comparison;
import io.rlhf4j.driver.bench.Measurement;
import io.rlhf4j.driver.bench.PeerScript;
import io.rlhf4j.driver.bench.Peers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of measurements that other systems are compared in. */
final class PeerOptions {
    @Option(
            names = "--peers",
            paramLabel = "DIR",
            description =
                    "Folder of scripts that measure other systems: each runs in turn with ours, and ratios follow.")
    private Path folder;

    @Option(
            names = "--peer-python",
            defaultValue = "python3",
            paramLabel = "COMMAND",
            description = "The Python that runs them. (${DEFAULT-VALUE})")
    private String python;

    @Option(
            names = "--peer",
            paramLabel = "TEXT",
            description = "Only scripts whose command line contains this text; may be given several times.")
    private List<String> chosen = new ArrayList<>();

    @Option(
            names = {"--turns", "--rounds"},
            defaultValue = "3",
            paramLabel = "N",
            description = "How often ours and the others are measured in turn. (${DEFAULT-VALUE})")
    private int turns;

    /** Prints our measurement, or with {@code --peers} those of all and the ratios. */
    int print(Terminal terminal, Comparison.Ours ours, List<PeerScript> scripts)
            throws IOException, InterruptedException {
        if (folder == null) {
            Measurement measurement = ours.measure();
            terminal.out().println(measurement.json());
            measurement.profile().forEach(terminal.out()::println);
            return 0;
        }
        List<PeerScript> wanted = scripts.stream()
                .filter(script -> chosen.isEmpty()
                        || chosen.stream().anyMatch(text -> script.toString().contains(text)))
                .toList();
        new Comparison(new Peers(folder.toAbsolutePath(), python), wanted, turns).run(ours, terminal.out());
        return 0;
    }
}
