package io.rlhf4j.driver.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Measures this program and its peers in turn on the same machine, because a shared machine's speed drifts: figures count
 * as the ratio of medians of such pairs.
 *
 * @param peers where their scripts are
 * @param scripts to run after each measurement of ours
 * @param turns how often
 */
public record Comparison(Peers peers, List<PeerScript> scripts, int turns) {
    private static final String SPEED = "tokens_per_s";

    public Comparison {
        scripts = List.copyOf(scripts);
    }

    /** One of our measurements. */
    public interface Ours {
        Measurement measure() throws IOException;
    }

    /** Prints every measurement as a line of JSON, and then a line with the ratio for each peer. */
    public void run(Ours ours, PrintStream out) throws IOException, InterruptedException {
        List<Double> own = new ArrayList<>();
        Map<PeerScript, List<Double>> others = new LinkedHashMap<>();
        Map<PeerScript, Map<String, Object>> names = new LinkedHashMap<>();
        for (int turn = 0; turn < turns; turn++) {
            Map<String, Object> line = ours.measure().line();
            out.println(json(line));
            own.add(speed(line));
            for (PeerScript script : scripts) {
                Optional<Map<String, Object>> measured = peers.measure(script);
                out.println(json(measured.orElse(Map.of("failed", script.toString()))));
                measured.ifPresent(peer -> {
                    others.computeIfAbsent(script, none -> new ArrayList<>()).add(speed(peer));
                    names.put(script, peer);
                });
            }
        }
        others.forEach((script, speeds) -> {
            if (speeds.size() == own.size()) {
                out.println(json(ratio(names.get(script), own, speeds)));
            }
        });
    }

    private static double speed(Map<String, Object> line) {
        return ((Number) line.get(SPEED)).doubleValue();
    }

    private static Map<String, Object> ratio(Map<String, Object> peer, List<Double> own, List<Double> speeds) {
        double[] pairs = IntStream.range(0, own.size())
                .mapToDouble(turn -> own.get(turn) / speeds.get(turn))
                .sorted()
                .toArray();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("task", "ratio");
        for (String name : List.of("peer", "model", "dtype", "shape")) {
            line.put(name, peer.get(name));
        }
        line.put("turns", pairs.length);
        line.put("our_" + SPEED, Measurement.rounded(Measurement.median(own), 1));
        line.put("peer_" + SPEED, Measurement.rounded(Measurement.median(speeds), 1));
        line.put("ratio", Measurement.rounded(Measurement.median(own) / Measurement.median(speeds), 2));
        line.put("ratio_min", Measurement.rounded(pairs[0], 2));
        line.put("ratio_max", Measurement.rounded(pairs[pairs.length - 1], 2));
        return line;
    }

    private static String json(Map<String, Object> line) {
        try {
            return new ObjectMapper().writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a measurement cannot be written", e);
        }
    }
}
