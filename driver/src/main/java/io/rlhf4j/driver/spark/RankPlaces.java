package io.rlhf4j.driver.spark;

import io.rlhf4j.workers.runtime.RankOutcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Where the ranks of a run were last. Tasks are told, and an executor's become the ranks that it had; so the driver can
 * name the rank of an executor that went without a word.
 */
public final class RankPlaces {
    private final Map<Integer, Place> places = new TreeMap<>();
    private final Set<Integer> newcomers = new TreeSet<>();
    private final Set<Place> lost = new HashSet<>();

    /**
     * Where a rank works.
     *
     * @param executor by Spark's name for it
     */
    record Place(String host, String executor) {
        /** As Spark's scheduler writes it, {@code org.apache.spark.scheduler.ExecutorCacheTaskLocation}. */
        String location() {
            return "executor_%s_%s".formatted(host, executor);
        }

        @Override
        public String toString() {
            return "%s (executor %s)".formatted(host, executor);
        }
    }

    /** Keeps where the ranks of a job were. */
    synchronized void remember(List<RankOutcome> outcomes) {
        newcomers.clear();
        places.keySet().removeIf(rank -> rank >= outcomes.size());
        for (RankOutcome outcome : outcomes) {
            Place place = new Place(outcome.host(), outcome.executor());
            if (!place.equals(places.put(outcome.rank(), place))) {
                newcomers.add(outcome.rank());
            }
        }
    }

    /** An executor is gone; Spark may list it for a moment longer. */
    synchronized void lose(Place place) {
        lost.add(place);
    }

    private List<Place> left(List<Place> executors) {
        return executors.stream().filter(place -> !lost.contains(place)).toList();
    }

    /**
     * Where the tasks of the next job should run: where the ranks were, and in place of an executor that is gone the oldest one
     * without a rank, which has compiled most of what it will run.
     *
     * @param executors that there are, the oldest first
     * @return by task: a place in the words of Spark's scheduler, or none
     */
    synchronized List<List<String>> locations(int tasks, List<Place> executors) {
        List<Place> left = left(executors);
        Deque<Place> spare = new ArrayDeque<>(left);
        spare.removeAll(places.values());
        List<List<String>> locations = new ArrayList<>();
        for (int task = 0; task < tasks; task++) {
            Place place = places.get(task);
            if (place == null || !left.contains(place)) {
                place = spare.poll();
            }
            locations.add(place == null ? List.of() : List.of(place.location()));
        }
        return locations;
    }

    /** Whether each rank's executor is one of these. */
    synchronized boolean allAmong(List<Place> executors) {
        return left(executors).containsAll(places.values());
    }

    /** The ranks of each executor, by Spark's name for it. */
    synchronized Map<String, List<Integer>> byExecutor() {
        Map<String, List<Integer>> ranks = new TreeMap<>();
        places.forEach((rank, place) -> ranks.computeIfAbsent(place.executor(), none -> new ArrayList<>())
                .add(rank));
        return ranks;
    }

    /**
     * The ranks of an executor in words; "a rank" where none is known for sure, because it is new or does not have as many
     * tasks as it had ranks.
     *
     * @param tasks that it has in the job at hand
     */
    synchronized String ranksOf(String executor, long tasks) {
        List<Integer> ranks = byExecutor().getOrDefault(executor, List.of());
        return ranks.isEmpty() || ranks.size() != tasks
                ? "a rank"
                : ranks.stream().map(rank -> "rank " + rank).collect(Collectors.joining(" and "));
    }

    /** Where a rank was in the last job, in words. */
    synchronized String of(int rank) {
        return places.containsKey(rank) ? places.get(rank).toString() : "no known host";
    }

    /** Whether the last job was a rank's first one in its executor: what it does there for the first time takes longer. */
    synchronized boolean isNew(int rank) {
        return newcomers.contains(rank);
    }
}
