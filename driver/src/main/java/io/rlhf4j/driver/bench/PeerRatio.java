package io.rlhf4j.driver.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * How many times as fast as one peer we are: the ratio of the medians of all pairs, beside that of memory.
 *
 * @param pairs one for each turn
 */
record PeerRatio(List<PeerPair> pairs) {
    double ratio() {
        return median(PeerPair::ownSpeed) / median(PeerPair::peerSpeed);
    }

    /** The fields of its line. */
    Map<String, Object> line(String task) {
        PeerPair first = pairs.get(0);
        double[] each = pairs.stream()
                .mapToDouble(pair -> pair.ownSpeed() / pair.peerSpeed())
                .sorted()
                .toArray();
        int digits = first.script().phases().isEmpty() ? 1 : 4;
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("task", task);
        for (String name : List.of("peer", "model", "dtype", "shape")) {
            line.put(name, first.peer().get(name));
        }
        line.put("turns", pairs.size());
        line.put("our_" + first.unit(), Measurement.rounded(median(PeerPair::ownSpeed), digits));
        line.put("peer_" + first.unit(), Measurement.rounded(median(PeerPair::peerSpeed), digits));
        line.put("ratio", Measurement.rounded(ratio(), 2));
        line.put("ratio_min", Measurement.rounded(each[0], 2));
        line.put("ratio_max", Measurement.rounded(each[each.length - 1], 2));
        double own = median(PeerPair::ownMemory);
        double peer = median(PeerPair::peerMemory);
        if (!Double.isNaN(own / peer)) {
            line.put("our_peak_rss_mb", Math.round(own));
            line.put("peer_peak_rss_mb", Math.round(peer));
            line.put("memory_ratio", Measurement.rounded(own / peer, 2));
        }
        return line;
    }

    private double median(ToDoubleFunction<PeerPair> of) {
        return Measurement.median(
                pairs.stream().map(pair -> of.applyAsDouble(pair)).toList());
    }
}
