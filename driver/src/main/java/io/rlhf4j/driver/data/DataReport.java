package io.rlhf4j.driver.data;

import java.util.List;
import java.util.Map;

/**
 * What became of the rows.
 *
 * @param snapshot hash of the prepared rows: part of the run's identity
 * @param sources by source, in the order of the configuration
 */
public record DataReport(String snapshot, List<SourceReport> sources) {
    /**
     * What became of the rows of one source.
     *
     * @param source its name
     * @param read rows read, unusable ones included
     * @param used rows by where they went: {@code sft}, {@code reward}, {@code ppo}, {@code ptx}, and {@code
     *     sft-heldout} and so on
     * @param dropped rows left out, by reason
     * @param quarantined unusable rows, by reason
     * @param duplicates rows equal to another one
     * @param contradictions pairs whose reverse is there too
     */
    public record SourceReport(
            String source,
            long read,
            Map<String, Long> used,
            Map<String, Long> dropped,
            Map<String, Long> quarantined,
            long duplicates,
            long contradictions) {}
}
