package io.rlhf4j.config;

import io.rlhf4j.model.DecodingWeights;
import java.util.List;

/** How the next token is chosen, and when a response ends. */
public record SamplingConfig(
        @Doc(value = "Divides the logits; 0 always takes the most probable token.", preset = "1", range = "[0, inf)")
                double temperature,
        @Doc(
                        value = "Sample among the most probable tokens that hold this much probability.",
                        preset = "1",
                        range = "(0, 1]")
                double topP,
        @Doc(value = "Sample among this many most probable tokens; 0 takes all.", preset = "0", range = "[0, inf)")
                int topK,
        @Doc(
                        value =
                                "Sample among tokens that are at least this share as probable as the most probable one; 0 takes"
                                        + " all.",
                        preset = "0",
                        range = "[0, 1)")
                double minP,
        @Doc(value = "Most tokens of a response.", preset = "256", range = "[1, inf)") int maxNewTokens,
        @Doc(value = "Fewest tokens of a response; before them it cannot end.", preset = "0", range = "[0, inf)")
                int minNewTokens,
        @Doc(
                        value = "Divides positive and multiplies negative logits of tokens seen; 1 changes nothing.",
                        preset = "1",
                        range = "(0, inf)")
                double repetitionPenalty,
        @Doc("Texts that end a response.") List<String> stop,
        @Doc(value = "Responses that one task generates at once.", preset = "32", range = "[1, inf)") int batch,
        @Doc(
                        value =
                                "How weights are read while responses are generated: `packed` laid out anew, which is faster"
                                        + " and takes their memory once more; `int8` laid out anew and rounded to eight bits,"
                                        + " with a scale for each output, a byte each (where the backend has code for it:"
                                        + " `cpu` on processors without AVX-512); `plain` as training keeps them. Scores and"
                                        + " training never read rounded weights.",
                        preset = "packed")
                DecodingWeights weights)
        implements Checked {
    @Override
    public List<Finding> findings() {
        return minNewTokens <= maxNewTokens
                ? List.of()
                : List.of(new Finding("min_new_tokens", "is more than max_new_tokens"));
    }

    /** Whether the most probable token is always taken. */
    public boolean greedy() {
        return temperature == 0;
    }
}
