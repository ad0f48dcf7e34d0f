package io.rlhf4j.tokenizer;

import java.util.List;
import java.util.Map;

/** A conversation as text, as the model's Jinja template writes it; the result is what transformers gives. */
public final class ChatTemplate {
    /**
     * Renders a conversation.
     *
     * @param messages each with "role", "content" and whatever else the template knows ("tool_calls", "name"); values are
     *     what JSON can hold: String, Number, Boolean, null, List, Map
     * @param addGenerationPrompt whether the text ends where the assistant's next answer begins
     * @return the text, with all special tokens written out: tokenise it without adding special tokens
     * @throws io.rlhf4j.error.Rlhf4jException of kind DATA where the template refuses the conversation, with its reason
     */
    public String render(List<? extends Map<String, ?>> messages, boolean addGenerationPrompt) {
        return render(messages, addGenerationPrompt, null, Map.of());
    }

    /**
     * Renders a conversation with tools.
     *
     * @param tools JSON schemas of functions; null where there are none
     * @param variables further names that the template may use, for example "enable_thinking"
     */
    public String render(
            List<? extends Map<String, ?>> messages,
            boolean addGenerationPrompt,
            List<? extends Map<String, ?>> tools,
            Map<String, ?> variables) {
        throw new UnsupportedOperationException("" + messages + addGenerationPrompt + tools + variables);
    }
}
