package io.rlhf4j.driver.bench;

import java.util.Map;

/**
 * A measurement of ours and one of a peer that followed it.
 *
 * @param own fields of our line
 * @param peer fields of the peer's line
 * @param script that printed the latter
 */
record PeerPair(Map<String, Object> own, Map<String, Object> peer, PeerScript script) {
    private static final String TOKENS = "tokens_per_s";
    private static final String SECONDS = "step_s";
    private static final String MEMORY = "peak_rss_mb";

    /** Whether a script measured what can be compared. */
    static boolean comparable(Map<String, Object> measured, PeerScript script) {
        return measured.get(script.phases().isEmpty() ? TOKENS : SECONDS) instanceof Number;
    }

    /** What {@link #ownSpeed} and {@link #peerSpeed} count. */
    String unit() {
        return script.phases().isEmpty() ? TOKENS : "steps_per_s";
    }

    double ownSpeed() {
        if (script.phases().isEmpty()) {
            return number(own, TOKENS);
        }
        return 1
                / script.phases().stream()
                        .mapToDouble(phase -> number(own, phase))
                        .sum();
    }

    double peerSpeed() {
        return script.phases().isEmpty() ? number(peer, TOKENS) : 1 / number(peer, SECONDS);
    }

    /** Our peak of resident memory in MB; not a number where the system does not tell. */
    double ownMemory() {
        return number(own, MEMORY);
    }

    /** The peer's. */
    double peerMemory() {
        return number(peer, MEMORY);
    }

    private static double number(Map<String, Object> line, String field) {
        return line.get(field) instanceof Number number ? number.doubleValue() : Double.NaN;
    }
}
