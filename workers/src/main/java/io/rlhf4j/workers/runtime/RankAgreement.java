package io.rlhf4j.workers.runtime;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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
     * @param executor Spark's name for that JVM
     * @param host of that JVM
     * @param gpu the address of the GPU that the task was given, if it was
     * @param address where other JVMs reach it; empty where there are no others
     * @param held the ranks whose state lies there, on that GPU
     */
    public record Claim(String jvm, String executor, String host, Optional<String> gpu, String address, int[] held) {
        /** As a line of text, for Spark's allGather. */
        public String format() {
            String ranks = Arrays.stream(held).mapToObj(Integer::toString).collect(Collectors.joining(","));
            return String.join(" ", jvm, executor, host, gpu.orElse(""), address, ranks);
        }

        /** Reads {@link #format()}. */
        public static Claim parse(String line) {
            String[] parts = line.split(" ", 6);
            return new Claim(
                    parts[0],
                    parts[1],
                    parts[2],
                    Optional.of(parts[3]).filter(gpu -> !gpu.isEmpty()),
                    parts[4],
                    parts[5].isEmpty()
                            ? new int[0]
                            : Arrays.stream(parts[5].split(",", -1))
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
     * Refuses several tasks of which one was given no GPU.
     *
     * @throws Rlhf4jException of kind CLUSTER where that is so
     */
    public static void requireGpuEach(List<Claim> claims) {
        for (int task = 0; task < claims.size(); task++) {
            if (claims.size() > 1 && claims.get(task).gpu().isEmpty()) {
                throw new Rlhf4jException(
                        ErrorKind.CLUSTER,
                        ("cluster.collectives is nccl, which needs a GPU for each rank, but Spark gave none to task %d on %s;"
                                        + " set spark.task.resource.gpu.amount to 1 and give executors a discovery script, or set"
                                        + " cluster.collectives to network")
                                .formatted(task, claims.get(task).host()));
            }
        }
    }

    /**
     * The agreement that follows from all claims: first each task takes the lowest free rank whose state its JVM has, then
     * the lowest free one that its executor had in the job before, so that ranks stay where they were also where all state is
     * read anew; then those left over take what is left over.
     *
     * @param claims by task
     * @param before the ranks of executors in the job before, the same for all tasks
     */
    public static RankAgreement of(List<Claim> claims, Map<String, List<Integer>> before) {
        int worldSize = claims.size();
        Integer[] ranks = new Integer[worldSize];
        boolean[] taken = new boolean[worldSize];
        take(ranks, taken, task -> Arrays.stream(claims.get(task).held()).sorted());
        boolean complete = Arrays.stream(ranks).noneMatch(Objects::isNull);
        take(ranks, taken, task -> before.getOrDefault(claims.get(task).executor(), List.of()).stream()
                .mapToInt(Integer::intValue)
                .sorted());
        take(ranks, taken, task -> IntStream.range(0, worldSize));
        return new RankAgreement(new ArrayList<>(Arrays.asList(ranks)), complete);
    }

    /** Each task without a rank takes the first free one of those that it asks for. */
    private static void take(Integer[] ranks, boolean[] taken, IntFunction<IntStream> asked) {
        for (int task = 0; task < ranks.length; task++) {
            if (ranks[task] == null) {
                OptionalInt free = asked.apply(task)
                        .filter(rank -> rank < taken.length && !taken[rank])
                        .findFirst();
                if (free.isPresent()) {
                    ranks[task] = free.getAsInt();
                    taken[free.getAsInt()] = true;
                }
            }
        }
    }
}
