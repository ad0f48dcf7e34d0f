package io.rlhf4j.driver.spark;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the rank that all others wait for, by the time that each was at work itself: a slow machine shows there, and not in
 * the time that a job takes, which is the same for all.
 */
public final class Stragglers {
    private static final Logger LOG = LoggerFactory.getLogger(Stragglers.class);
    /** A straggler takes so many times the median, */
    private static final double TIMES = 2;
    /** and so many seconds more. */
    private static final double SECONDS = 0.5;

    private final RankPlaces places;
    private final Consumer<String> say;
    private final Map<Integer, Long> found = new TreeMap<>();

    /**
     * Looks at the ranks of a run.
     *
     * @param say hears of a straggler when it is found the first time, the second, the fourth, and so on
     */
    public Stragglers(RankPlaces places, Consumer<String> say) {
        this.places = places;
        this.say = say;
    }

    /**
     * Looks at one job.
     *
     * @param what it did: {@code the update of iteration 7}
     * @param busySeconds by rank, without waiting for others
     * @return metrics: the slowest rank, its seconds, and the median; nothing for one rank
     */
    public Map<String, Double> look(String what, double... busySeconds) {
        if (busySeconds.length < 2) {
            return Map.of();
        }
        double[] sorted = busySeconds.clone();
        Arrays.sort(sorted);
        // The lower one of two in the middle: of two ranks one can be slow.
        double median = sorted[(sorted.length - 1) / 2];
        int slowest = 0;
        for (int rank = 1; rank < busySeconds.length; rank++) {
            if (busySeconds[rank] > busySeconds[slowest]) {
                slowest = rank;
            }
        }
        double most = busySeconds[slowest];
        if (most > TIMES * median && most > median + SECONDS && !places.isNew(slowest)) {
            tell(what, slowest, most, median);
        }
        return Map.of("slowest_rank", (double) slowest, "seconds_rank_slowest", most, "seconds_rank_median", median);
    }

    private void tell(String what, int rank, double seconds, double median) {
        String line =
                "straggler: rank %d on %s worked %.1f times as long as the median rank in %s (%.1f s, median %.1f s)"
                        .formatted(rank, places.of(rank), seconds / median, what, seconds, median);
        LOG.warn(line);
        long times = found.merge(rank, 1L, Long::sum);
        if (Long.bitCount(times) == 1) {
            say.accept(times == 1 ? line : line + ", for the %dth time".formatted(times));
        }
    }
}
