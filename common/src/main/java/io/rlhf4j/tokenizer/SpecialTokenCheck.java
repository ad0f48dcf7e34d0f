package io.rlhf4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.error.Rlhf4jException;
import java.util.List;

/**
 * The special tokens that a template of tokenizer.json puts around a text. The tokenizers library looks them up without
 * asking whether they are there, and ends the whole process where one is not.
 */
final class SpecialTokenCheck {
    private SpecialTokenCheck() {}

    /**
     * Holds the templates of a post-processor, and of those within it, against the tokens that they define.
     *
     * @throws Rlhf4jException of kind DATA where a template names one that is not defined
     */
    static void require(String origin, JsonNode postProcessor) {
        JsonNode defined = postProcessor.path("special_tokens");
        for (String template : List.of("single", "pair")) {
            for (JsonNode piece : postProcessor.path(template)) {
                JsonNode token = piece.path("SpecialToken").path("id");
                if (token.isTextual() && !defined.has(token.textValue())) {
                    throw Rlhf4jException.data(
                            "%s: post_processor puts the special token '%s' into a text, but does not define it; is the file damaged?"
                                    .formatted(origin, token.textValue()));
                }
            }
        }
        postProcessor.path("processors").forEach(part -> require(origin, part));
    }
}
