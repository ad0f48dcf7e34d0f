package io.rlhf4j.driver.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures this program and its peers in turn on the same machine, because a shared machine's speed drifts: figures count
 * as the ratio of medians of such pairs.
 *
 * @param peers where their scripts are
 * @param scripts to run after each measurement of ours
 * @param turns how often
 */
public record Comparison(Peers peers, List<PeerScript> scripts, int turns) {
    public Comparison {
        scripts = List.copyOf(scripts);
    }

    /** One of our measurements. */
    public interface Ours {
        Measurement measure() throws IOException;
    }

    /**
     * Prints every measurement as a line of JSON, then a line with the ratio for each peer, and last the ratio to the fastest
     * of them. A script that failed in a turn has no ratio.
     */
    public void run(Ours ours, PrintStream out) throws IOException, InterruptedException {
        Map<PeerScript, List<PeerPair>> pairs = new LinkedHashMap<>();
        for (int turn = 0; turn < turns; turn++) {
            Map<String, Object> own = ours.measure().line();
            out.println(json(own));
            for (PeerScript script : scripts) {
                Map<String, Object> measured = peers.measure(script);
                out.println(json(measured));
                if (PeerPair.comparable(measured, script)) {
                    pairs.computeIfAbsent(script, none -> new ArrayList<>()).add(new PeerPair(own, measured, script));
                }
            }
        }
        List<PeerRatio> ratios = pairs.values().stream()
                .filter(each -> each.size() == turns)
                .map(PeerRatio::new)
                .toList();
        ratios.forEach(ratio -> out.println(json(ratio.line("ratio"))));
        ratios.stream()
                .min(Comparator.comparingDouble(PeerRatio::ratio))
                .ifPresent(best -> out.println(json(best.line("ratio_to_best"))));
    }

    private static String json(Map<String, Object> line) {
        try {
            return new ObjectMapper().writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a measurement cannot be written", e);
        }
    }
}
