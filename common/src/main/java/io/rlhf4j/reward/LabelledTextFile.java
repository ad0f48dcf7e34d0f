package io.rlhf4j.reward;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.Rlhf4jException;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * A file of one JSON object a line: {@code {"prompt", "response", "label"}} with a label between 0 and 1 (or true and
 * false), or {@code {"prompt", "chosen", "rejected"}}, which is a good and a bad text.
 */
public final class LabelledTextFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private LabelledTextFile() {}

    /**
     * Reads all texts.
     *
     * @throws Rlhf4jException of kind DATA where the file is missing or a line is neither of the two
     */
    public static List<LabelledText> read(Path file, Configuration configuration) throws IOException {
        List<LabelledText> texts = new ArrayList<>();
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(file.getFileSystem(configuration).open(file), StandardCharsets.UTF_8))) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (!line.isBlank()) {
                    texts.addAll(parse(line, file + ":" + number));
                }
            }
        } catch (FileNotFoundException missing) {
            throw Rlhf4jException.data(file + ": there is no such file", missing);
        }
        return texts;
    }

    private static List<LabelledText> parse(String line, String place) {
        JsonNode row;
        try {
            row = JSON.readTree(line);
        } catch (JsonProcessingException corrupt) {
            throw Rlhf4jException.data(
                    "%s: not a JSON object: %s".formatted(place, corrupt.getOriginalMessage()), corrupt);
        }
        String prompt = row.path("prompt").asText("");
        if (row.path("chosen").isTextual() && row.path("rejected").isTextual()) {
            return List.of(
                    new LabelledText(prompt, row.get("chosen").asText(), 1),
                    new LabelledText(prompt, row.get("rejected").asText(), 0));
        }
        JsonNode label = row.path("label");
        if (row.path("response").isTextual() && (label.isNumber() || label.isBoolean())) {
            double value = label.isBoolean() ? (label.asBoolean() ? 1 : 0) : label.asDouble();
            if (value >= 0 && value <= 1) {
                return List.of(new LabelledText(prompt, row.get("response").asText(), value));
            }
        }
        throw Rlhf4jException.data(
                ("%s: needs prompt, response and a label from 0 to 1 (true, false), or prompt, chosen and"
                                + " rejected")
                        .formatted(place));
    }
}
