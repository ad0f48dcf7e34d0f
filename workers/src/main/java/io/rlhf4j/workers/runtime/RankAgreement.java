package io.rlhf4j.workers.runtime;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Who is which rank. Spark does not promise that a task lands where its predecessor did, so the tasks of a job tell each
 * other what their JVMs hold, and all come to the same answer from it.
 *
 * @param ranks by task
 * @param complete whether every rank found its state; otherwise somebody has to read it from a checkpoint
 */
public record RankAgreement(List<Integer> ranks, boolean complete) {
    /**
     * What a task says.
     *
     * @param jvm which JVM it runs in
     * @param address where other JVMs reach it; empty where there are no others
     * @param held the ranks whose state lies there
     */
    public record Claim(String jvm, String address, int[] held) {
        /** As a line of text, for Spark's allGather. */
        public String format() {
            return jvm + " " + address + " "
                    + Arrays.stream(held).mapToObj(Integer::toString).collect(Collectors.joining(","));
        }

        /** Reads {@link #format()}. */
        public static Claim parse(String line) {
            String[] parts = line.split(" ", 3);
            return new Claim(
                    parts[0],
                    parts[1],
                    parts[2].isEmpty()
                            ? new int[0]
                            : Arrays.stream(parts[2].split(",", -1))
                                    .mapToInt(Integer::parseInt)
                                    .toArray());
        }
    }

    /**
     * The agreement that follows from all claims: first each task takes the lowest free rank whose state its JVM has, then
     * those left over take what is left over.
     *
     * @param claims by task
     */
    public static RankAgreement of(List<Claim> claims) {
        int worldSize = claims.size();
        Integer[] ranks = new Integer[worldSize];
        boolean[] taken = new boolean[worldSize];
        boolean complete = true;
        for (int task = 0; task < worldSize; task++) {
            for (int rank : Arrays.stream(claims.get(task).held()).sorted().toArray()) {
                if (ranks[task] == null && rank < worldSize && !taken[rank]) {
                    ranks[task] = rank;
                    taken[rank] = true;
                }
            }
        }
        int next = 0;
        for (int task = 0; task < worldSize; task++) {
            if (ranks[task] == null) {
                complete = false;
                while (taken[next]) {
                    next++;
                }
                taken[next] = true;
                ranks[task] = next;
            }
        }
        return new RankAgreement(new ArrayList<>(Arrays.asList(ranks)), complete);
    }
}
