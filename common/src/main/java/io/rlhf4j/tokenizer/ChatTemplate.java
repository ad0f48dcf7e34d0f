package io.rlhf4j.tokenizer;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tokenizer.jinja.Engine;
import io.rlhf4j.tokenizer.jinja.TemplateException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A conversation as text, as the model's Jinja template writes it; the result is what transformers gives. */
public final class ChatTemplate {
    private final String origin;
    private final String source;
    private final Map<String, String> specialTokens;

    private ChatTemplate(String origin, String source, Map<String, String> specialTokens) {
        this.origin = origin;
        this.source = source;
        this.specialTokens = Map.copyOf(specialTokens);
    }

    /**
     * A template from its Jinja source.
     *
     * @param origin what messages call it
     * @param specialTokens variables that every template may use: "bos_token", "eos_token" and the like
     */
    public static ChatTemplate parse(String origin, String source, Map<String, String> specialTokens) {
        return new ChatTemplate(origin, source, specialTokens);
    }

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
        Map<String, Object> names = new HashMap<>(specialTokens);
        names.put("documents", null);
        names.putAll(variables);
        names.put("messages", messages);
        names.put("add_generation_prompt", addGenerationPrompt);
        names.put("tools", tools);
        try {
            return Engine.render(source, names);
        } catch (TemplateException refused) {
            throw Rlhf4jException.data("%s: %s".formatted(origin, refused.getMessage()));
        }
    }
}
