package io.rlhf4j.config.binding;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What a user may have meant by a key or value that does not exist. */
final class Suggestions {
    private Suggestions() {}

    /** The nearest of the candidates, if one is near: at most every third letter differs. */
    static Optional<String> nearest(String written, Iterable<String> candidates) {
        List<String> near = new ArrayList<>();
        for (String candidate : candidates) {
            boolean part = written.length() >= 3 && (candidate.contains(written) || written.contains(candidate));
            if (part
                    || distance(written, candidate)
                            <= Math.max(1, Math.min(written.length(), candidate.length()) / 3)) {
                near.add(candidate);
            }
        }
        return near.stream().min(Comparator.comparingInt(candidate -> distance(written, candidate)));
    }

    /** Full names of all keys called {@code name} in the sections below {@code root}. */
    static Set<String> elsewhere(Class<?> root, String name) {
        Set<String> found = new LinkedHashSet<>();
        collect(root, "", name, found);
        return found;
    }

    private static void collect(Class<?> section, String prefix, String name, Set<String> found) {
        for (Key key : Key.of(section)) {
            if (key.name().equals(name)) {
                found.add(prefix + key.name());
            }
            if (key.rawType().isRecord()) {
                collect(key.rawType(), prefix + key.name() + ".", name, found);
            }
        }
    }

    /** Letters to insert, delete, exchange or swap with a neighbour (Damerau 1964, in its restricted form). */
    static int distance(String first, String second) {
        int[][] cost = new int[first.length() + 1][second.length() + 1];
        for (int i = 0; i <= first.length(); i++) {
            for (int j = 0; j <= second.length(); j++) {
                cost[i][j] = i == 0 || j == 0 ? i + j : step(cost, first, second, i, j);
            }
        }
        return cost[first.length()][second.length()];
    }

    private static int step(int[][] cost, String first, String second, int i, int j) {
        int exchange = cost[i - 1][j - 1] + (first.charAt(i - 1) == second.charAt(j - 1) ? 0 : 1);
        int least = Math.min(exchange, Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
        boolean swapped = i > 1
                && j > 1
                && first.charAt(i - 1) == second.charAt(j - 2)
                && first.charAt(i - 2) == second.charAt(j - 1);
        return swapped ? Math.min(least, cost[i - 2][j - 2] + 1) : least;
    }
}
