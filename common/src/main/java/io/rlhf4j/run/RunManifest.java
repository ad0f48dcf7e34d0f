package io.rlhf4j.run;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run is, kept in its folder.
 *
 * @param name the run's name
 * @param created when it was first started, ISO 8601
 * @param identity what decides its bits, as of the last start
 * @param changes one line for each fact that a resumption changed; such a run is not bit-equal to an unchanged one
 */
public record RunManifest(String name, String created, RunIdentity identity, List<String> changes) {
    public RunManifest {
        changes = List.copyOf(changes);
    }

    /** The manifest of a run that begins. */
    public static RunManifest begun(String name, RunIdentity identity) {
        return new RunManifest(name, Instant.now().toString(), identity, List.of());
    }

    /** This run, resumed as {@code now}; what differs is added to {@link #changes}. */
    public RunManifest resumedAs(RunIdentity now) {
        List<String> all = new ArrayList<>(changes);
        now.differencesFrom(identity).forEach(difference -> all.add(Instant.now() + " " + difference));
        return new RunManifest(name, created, now, all);
    }
}
