package io.rlhf4j.workers.runtime;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
     * @param host of that JVM
     * @param gpu the address of the GPU that the task was given, if it was
     * @param address where other JVMs reach it; empty where there are no others
     * @param held the ranks whose state lies there, on that GPU
     */
    public record Claim(String jvm, String host, Optional<String> gpu, String address, int[] held) {
        /** As a line of text, for Spark's allGather. */
        public String format() {
            String ranks = Arrays.stream(held).mapToObj(Integer::toString).collect(Collectors.joining(","));
            return String.join(" ", jvm, host, gpu.orElse(""), address, ranks);
        }

        /** Reads {@link #format()}. */
        public static Claim parse(String line) {
            String[] parts = line.split(" ", 5);
            return new Claim(
                    parts[0],
                    parts[1],
                    Optional.of(parts[2]).filter(gpu -> !gpu.isEmpty()),
                    parts[3],
                    parts[4].isEmpty()
                            ? new int[0]
                            : Arrays.stream(parts[4].split(",", -1))
                                    .mapToInt(Integer::parseInt)
                                    .toArray());
        }
    }

    /**
     * Refuses tasks that were given the same GPU.
     *
     * @throws Rlhf4jException of kind CLUSTER where two were
     */
    public static void requireOneGpuEach(List<Claim> claims) {
        Map<String, Integer> owners = new HashMap<>();
        for (int task = 0; task < claims.size(); task++) {
            Claim claim = claims.get(task);
            if (claim.gpu().isEmpty()) {
                continue;
            }
            String gpu = "GPU %s of %s".formatted(claim.gpu().get(), claim.host());
            Integer other = owners.put(gpu, task);
            if (other != null) {
                throw new Rlhf4jException(
                        ErrorKind.CLUSTER,
                        ("two ranks (tasks %d and %d) were given %s, which holds one; set"
                                        + " spark.task.resource.gpu.amount to 1, and where executors of a host see only their own"
                                        + " GPUs let the discovery script print UUIDs, not numbers that repeat")
                                .formatted(other, task, gpu));
            }
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
