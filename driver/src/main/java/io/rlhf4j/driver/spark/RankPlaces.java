package io.rlhf4j.driver.spark;

import io.rlhf4j.workers.runtime.RankOutcome;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Where the ranks of a run were last. Ranks are agreed among the executors and stay where their state is; so the driver
 * can name the rank of an executor that went without a word.
 */
public final class RankPlaces {
    private final Map<Integer, Place> places = new TreeMap<>();
    private final Set<Integer> newcomers = new TreeSet<>();

    /**
     * Where a rank works.
     *
     * @param executor by Spark's name for it
     */
    record Place(String host, String executor) {
        @Override
        public String toString() {
            return "%s (executor %s)".formatted(host, executor);
        }
    }

    /** Keeps where the ranks of a job were. */
    synchronized void remember(List<RankOutcome> outcomes) {
        newcomers.clear();
        for (RankOutcome outcome : outcomes) {
            Place place = new Place(outcome.host(), outcome.executor());
            if (!place.equals(places.put(outcome.rank(), place))) {
                newcomers.add(outcome.rank());
            }
        }
    }

    /** The ranks of an executor in words; "a rank" where none is known. */
    synchronized String ranksOf(String executor) {
        String ranks = places.entrySet().stream()
                .filter(rank -> rank.getValue().executor().equals(executor))
                .map(rank -> "rank " + rank.getKey())
                .collect(Collectors.joining(" and "));
        return ranks.isEmpty() ? "a rank" : ranks;
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
