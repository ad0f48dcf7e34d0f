package io.rlhf4j.golden;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.loss.CrossEntropy;
import io.rlhf4j.sampling.LogitsProcessor;
import io.rlhf4j.sampling.TokenHistory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Fixtures of {@code io.rlhf4j.sampling}. */
final class SamplingAlgorithms {
    /** The order in which processors act. */
    private static final List<String> ORDER = List.of(
            "repetition_penalty", "no_repeat_ngram_size", "min_new_tokens", "temperature", "top_k", "top_p", "min_p");
    /** Four of the given ids are the prompt, the others were sampled. */
    private static final int PROMPT_LENGTH = 4;

    private static final int[] EOS_IDS = {2};

    private SamplingAlgorithms() {}

    static Map<String, Object> probabilities(Fixture fixture) {
        List<LogitsProcessor> processors = processors(fixture.get("settings"));
        double[][] logits = fixture.rows("logits");
        int[][] ids = fixture.ids("input_ids");
        double[][] probabilities = new double[logits.length][];
        long[] kept = new long[logits.length];
        for (int row = 0; row < logits.length; row++) {
            TokenHistory history = new TokenHistory(Arrays.copyOf(ids[row], PROMPT_LENGTH), 1);
            for (int t = PROMPT_LENGTH; t < ids[row].length; t++) {
                history.add(ids[row][t]);
            }
            double[] scores = logits[row];
            processors.forEach(processor -> processor.process(scores, history));
            probabilities[row] = Arrays.stream(CrossEntropy.logSoftmax(scores))
                    .map(Math::exp)
                    .toArray();
            kept[row] = Arrays.stream(scores).filter(Double::isFinite).count();
        }
        return Map.of("probabilities", probabilities, "kept", kept);
    }

    private static List<LogitsProcessor> processors(JsonNode settings) {
        for (Iterator<String> names = settings.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!ORDER.contains(name)) {
                throw new IllegalArgumentException("no processor of the product is " + name);
            }
        }
        List<LogitsProcessor> processors = new ArrayList<>();
        for (String name : ORDER) {
            if (settings.has(name)) {
                processors.add(processor(name, settings.get(name).doubleValue()));
            }
        }
        return processors;
    }

    private static LogitsProcessor processor(String name, double value) {
        return switch (name) {
            case "repetition_penalty" -> new LogitsProcessor.RepetitionPenalty(value);
            case "no_repeat_ngram_size" -> new LogitsProcessor.NoRepeatNgram((int) value);
            case "min_new_tokens" -> new LogitsProcessor.MinimumNewTokens((int) value, EOS_IDS);
            case "temperature" -> new LogitsProcessor.Temperature(value);
            case "top_k" -> new LogitsProcessor.TopK((int) value);
            case "top_p" -> new LogitsProcessor.TopP(value);
            case "min_p" -> new LogitsProcessor.MinP(value);
            default -> throw new IllegalArgumentException(name);
        };
    }
}
