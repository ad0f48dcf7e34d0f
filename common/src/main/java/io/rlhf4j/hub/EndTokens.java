package io.rlhf4j.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The tokens that end a response of a model. */
public final class EndTokens {
    private static final ObjectMapper JSON = new ObjectMapper();

    private EndTokens() {}

    /**
     * What {@code generation_config.json} says, else {@code config.json}, else the tokenizer's end token; a model may have
     * several, or none.
     *
     * @param directory a model directory
     * @throws Rlhf4jException of kind DATA where one of the files is damaged
     */
    public static int[] of(Path directory, Tokenizer tokenizer, Configuration hadoop) throws IOException {
        for (String file : List.of("generation_config.json", "config.json")) {
            Optional<int[]> ids = read(new Path(directory, file), hadoop);
            if (ids.isPresent()) {
                return ids.get();
            }
        }
        return tokenizer.eosId().isPresent() ? new int[] {tokenizer.eosId().getAsInt()} : new int[0];
    }

    private static Optional<int[]> read(Path file, Configuration hadoop) throws IOException {
        try (InputStream stream = PlainFiles.fileSystem(file, hadoop).open(file)) {
            JsonNode ids = JSON.readTree(stream).path("eos_token_id");
            if (ids.isInt()) {
                return Optional.of(new int[] {ids.intValue()});
            }
            return ids.isArray() && !ids.isEmpty() ? Optional.of(all(ids).toArray()) : Optional.empty();
        } catch (FileNotFoundException e) {
            return Optional.empty();
        } catch (JsonProcessingException e) {
            throw Rlhf4jException.data("%s: is no JSON: %s".formatted(file, e.getOriginalMessage()), e);
        }
    }

    private static IntStream all(JsonNode ids) {
        return StreamSupport.stream(ids.spliterator(), false).mapToInt(JsonNode::intValue);
    }
}
