package io.rlhf4j.driver.identity;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.Step;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.Machine;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunIdentity;
import io.rlhf4j.run.RunIdentity.Difference;
import io.rlhf4j.run.RunManifest;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Keeps what a run is in its manifest, with its configuration, and holds every later start against it. */
public final class RunRecord {
    private final RunConfig config;
    private final Machine machine;
    private final RunFolder folder;
    private final Configuration hadoop;
    private RunIdentity identity;

    /** The record of the run that {@code config} names, in its folder. */
    public RunRecord(RunConfig config, Machine machine, RunFolder folder, Configuration hadoop) {
        this.machine = machine;
        this.config = config;
        this.folder = folder;
        this.hadoop = hadoop;
    }

    /**
     * Holds what the run is told against what it has come to; writes nothing.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where they do not fit
     */
    public void requireFitting() throws IOException {
        Optional<RunManifest> before = folder.readManifest();
        if (before.isPresent()) {
            requireFitting(identity().differencesFrom(before.get().identity()));
        }
    }

    /**
     * Begins the run, or goes on with it: what differs from its last start is said and kept.
     *
     * @param say hears a line for each difference
     * @throws Rlhf4jException of kind CONFIGURATION where what the run has come to does not fit what it is now told; its
     *     folder stays as it was
     */
    public void start(Consumer<String> say) throws IOException {
        RunIdentity now = identity();
        Optional<RunManifest> before = folder.readManifest();
        if (before.isEmpty()) {
            folder.writeManifest(RunManifest.begun(config.name(), now));
            folder.writeConfig(config);
            return;
        }
        List<Difference> differences = now.differencesFrom(before.get().identity());
        requireFitting(differences);
        differences.forEach(difference -> say.accept("since the last start, " + difference));
        if (!differences.isEmpty()) {
            say.accept("the run goes on, but its bits are not those of a run that was never changed"
                    + (hasRows() ? "; its rows stay those that it prepared" : ""));
            folder.writeManifest(before.get().resumedAs(now));
        }
        folder.writeConfig(config);
    }

    /** Reads what the run starts from, once: models may be large. */
    private RunIdentity identity() throws IOException {
        if (identity == null) {
            identity = new RunInputs(hadoop).identity(config, machine);
        }
        return identity;
    }

    private void requireFitting(List<Difference> differences) throws IOException {
        Set<String> fixed = fixed();
        List<Difference> unfit = differences.stream()
                .filter(difference -> fixed.contains(difference.fact()))
                .toList();
        if (!unfit.isEmpty()) {
            throw Rlhf4jException.configuration(
                    ("run '%s' cannot go on: %s. What lies in %s was made as it was before; set it back, or give the run"
                                    + " another name")
                            .formatted(
                                    config.name(),
                                    unfit.stream().map(Difference::toString).collect(Collectors.joining("; ")),
                                    folder));
        }
    }

    /** The facts that rows and checkpoints of unfinished steps hang on. */
    private Set<String> fixed() throws IOException {
        Set<String> fixed = new TreeSet<>();
        if (hasRows()) {
            fixed.add("seed");
        }
        for (Step step : Step.values()) {
            if (exists(folder.checkpoints(step)) && !exists(folder.result(step))) {
                fixed.addAll(Set.of("seed", "compute.dtype", RunInputs.modelOf(step)));
                fixed.addAll(
                        switch (step) {
                            case SFT -> Set.of("sft.optimizer.kind");
                            case REWARD -> Set.of("reward.optimizer.kind");
                            case PPO -> Set.of("ppo.actor_optimizer.kind", "ppo.critic_optimizer.kind");
                        });
            }
        }
        return fixed;
    }

    private boolean hasRows() throws IOException {
        return exists(folder.dataManifest());
    }

    private boolean exists(Path path) throws IOException {
        FileSystem system = path.getFileSystem(hadoop);
        return system.exists(path);
    }
}
