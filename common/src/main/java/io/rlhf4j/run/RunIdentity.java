package io.rlhf4j.run;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.config.binding.ConfigWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What decides the bits of a run: equal identities give equal bits, whatever was killed, retried or resumed in between.
 *
 * @param facts data, configuration, seed, ranks, threads, partitions, backend, processor and versions, by name
 */
public record RunIdentity(SortedMap<String, String> facts) {
    /** Keys that say when to save, show and retry, or where to run: they change no bit. */
    private static final List<String> WITHOUT_EFFECT = List.of(
            "name",
            "folder",
            "profile",
            "steps",
            "checkpoints.",
            "evaluation.",
            "cluster.master",
            "cluster.slot_timeout",
            "cluster.collective_timeout",
            "cluster.collectives",
            "cluster.attempts",
            "cluster.backoff",
            "cluster.lease_expiry",
            "cluster.offload.",
            "cluster.rank_memory",
            "cluster.spark.");

    public RunIdentity {
        facts = new TreeMap<>(facts);
    }

    /**
     * The identity of a run.
     *
     * @param machine what the ranks compute with
     * @param inputs what lies outside of the configuration: files of sources and models, versions of libraries, by name
     */
    public static RunIdentity of(RunConfig config, Machine machine, Map<String, String> inputs) {
        SortedMap<String, String> facts = new TreeMap<>();
        flatten("", ConfigWriter.tree(config), facts);
        facts.keySet().removeIf(key -> WITHOUT_EFFECT.stream().anyMatch(key::startsWith));
        facts.put("cluster.threads", Integer.toString(config.cluster().threadsOrShare()));
        facts.put(
                "cluster.rollout_partitions", Integer.toString(config.cluster().rolloutPartitionsOrRanks()));
        facts.put("backend", machine.backend());
        facts.put("processor", machine.processor());
        facts.putAll(inputs);
        return new RunIdentity(facts);
    }

    private static void flatten(String prefix, Object value, Map<String, String> facts) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, part) -> flatten(prefix.isEmpty() ? "" + key : prefix + "." + key, part, facts));
        } else if (value instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                flatten(prefix + "." + i, list.get(i), facts);
            }
        } else {
            facts.put(prefix, String.valueOf(value));
        }
    }

    /**
     * A fact that is not as it was.
     *
     * @param fact its name
     * @param before what it was; "nothing" where it is new
     * @param now what it is; "nothing" where it is gone
     */
    public record Difference(String fact, String before, String now) {
        @Override
        public String toString() {
            return "%s was %s and is %s".formatted(fact, before, now);
        }
    }

    /** What has changed since {@code earlier}, by name. */
    public List<Difference> differencesFrom(RunIdentity earlier) {
        TreeSet<String> names = new TreeSet<>(facts.keySet());
        names.addAll(earlier.facts.keySet());
        List<Difference> differences = new ArrayList<>();
        for (String name : names) {
            String before = earlier.facts.getOrDefault(name, "nothing");
            String now = facts.getOrDefault(name, "nothing");
            if (!Objects.equals(before, now)) {
                differences.add(new Difference(name, before, now));
            }
        }
        return differences;
    }
}
