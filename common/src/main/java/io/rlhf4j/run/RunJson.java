package io.rlhf4j.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.rlhf4j.error.Rlhf4jException;
import org.apache.hadoop.fs.Path;

/** The JSON of a run's folder: dates are ISO 8601 texts, keys that a later version added are left alone. */
public final class RunJson {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private RunJson() {}

    /** A value as indented text. */
    public static String write(Object value) {
        try {
            return JSON.writeValueAsString(value) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(value + " cannot be written as JSON", e);
        }
    }

    static String writeLine(Object value) {
        try {
            return JSON.writer().without(SerializationFeature.INDENT_OUTPUT).writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(value + " cannot be written as JSON", e);
        }
    }

    /**
     * The value of a text.
     *
     * @param from where the text stands, for messages
     * @throws Rlhf4jException of kind DATA where it is damaged
     */
    public static <T> T read(String json, Class<T> type, Path from) {
        try {
            return JSON.readValue(json, type);
        } catch (JsonProcessingException e) {
            throw Rlhf4jException.data(
                    "%s: is damaged: %s; restore it, or move the run's folder away to begin anew"
                            .formatted(from, e.getOriginalMessage()),
                    e);
        }
    }
}
