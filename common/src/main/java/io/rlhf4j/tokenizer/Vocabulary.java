package io.rlhf4j.tokenizer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/** Ids by token, read from tokenizer.json: DJL's binding does not tell. */
final class Vocabulary {
    private final Map<String, Integer> ids = new HashMap<>();
    private int size;

    private Vocabulary() {}

    static Vocabulary read(String origin, byte[] tokenizerJson) {
        Vocabulary vocabulary = new Vocabulary();
        try (JsonParser parser = new ObjectMapper().createParser(tokenizerJson)) {
            JsonNode root = parser.readValueAsTree();
            SpecialTokenCheck.require(origin, root.path("post_processor"));
            JsonNode model = root.path("model").path("vocab");
            if (model.isArray()) { // unigram: [[token, score], ...], the id is the place
                for (int id = 0; id < model.size(); id++) {
                    vocabulary.add(model.get(id).path(0).asText(), id);
                }
            }
            model.properties()
                    .forEach(entry ->
                            vocabulary.add(entry.getKey(), entry.getValue().asInt(-1)));
            for (JsonNode added : root.path("added_tokens")) {
                vocabulary.add(added.path("content").asText(), added.path("id").asInt(-1));
            }
        } catch (IOException e) {
            throw Rlhf4jException.data(
                    "%s: is no valid JSON: %s; is the file damaged?".formatted(origin, e.getMessage()), e);
        }
        if (vocabulary.size == 0) {
            throw Rlhf4jException.data(origin + ": has no vocabulary; is it a tokenizer of the tokenizers library?");
        }
        return vocabulary;
    }

    private void add(String token, int id) {
        ids.put(token, id);
        size = Math.max(size, id + 1);
    }

    /** One more than the largest id. */
    int size() {
        return size;
    }

    OptionalInt idOf(String token) {
        Integer id = ids.get(token);
        return id == null || id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
