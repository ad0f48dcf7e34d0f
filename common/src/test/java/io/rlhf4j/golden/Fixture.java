package io.rlhf4j.golden;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * One case of a file of {@code algorithms/}: what goes in.
 *
 * @param name of the case; some conventions show in the name alone
 * @param shared inputs of all cases of the file; a missing node where there are none
 * @param own inputs of this case
 */
record Fixture(String name, JsonNode shared, JsonNode own) {
    boolean has(String field) {
        return !get(field).isMissingNode() && !get(field).isNull();
    }

    JsonNode get(String field) {
        return own.has(field) ? own.get(field) : shared.path(field);
    }

    double number(String field) {
        return number(get(field), field);
    }

    double number(String field, double absent) {
        return has(field) ? number(field) : absent;
    }

    int integer(String field) {
        return (int) number(field);
    }

    double[] row(String field) {
        return row(get(field));
    }

    double[][] rows(String field) {
        return elements(field).map(Fixture::row).toArray(double[][]::new);
    }

    boolean[][] masks(String field) {
        return elements(field).map(Fixture::mask).toArray(boolean[][]::new);
    }

    int[][] ids(String field) {
        return elements(field).map(Fixture::ids).toArray(int[][]::new);
    }

    private Stream<JsonNode> elements(String field) {
        List<JsonNode> elements = new ArrayList<>();
        get(field).forEach(elements::add);
        if (elements.isEmpty()) {
            throw new IllegalArgumentException("case " + name + " has no " + field);
        }
        return elements.stream();
    }

    static double[] row(JsonNode values) {
        double[] row = new double[values.size()];
        for (int i = 0; i < row.length; i++) {
            row[i] = number(values.get(i), "element " + i);
        }
        return row;
    }

    static int[] ids(JsonNode values) {
        int[] row = new int[values.size()];
        for (int i = 0; i < row.length; i++) {
            row[i] = values.get(i).intValue();
        }
        return row;
    }

    private static boolean[] mask(JsonNode values) {
        boolean[] mask = new boolean[values.size()];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = values.get(i).doubleValue() != 0;
        }
        return mask;
    }

    private static double number(JsonNode value, String field) {
        if (!value.isNumber()) {
            throw new IllegalArgumentException(field + " is no number: " + value);
        }
        return value.doubleValue();
    }
}
