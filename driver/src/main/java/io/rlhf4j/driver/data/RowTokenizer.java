package io.rlhf4j.driver.data;

import io.rlhf4j.config.DataConfig;
import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.driver.data.MappedRow.Conversation;
import io.rlhf4j.driver.data.MappedRow.Prompt;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tokenizer.ChatTemplate;
import io.rlhf4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Turns mapped rows into tokens. Prompt and response are tokenized apart, as they are when the model answers; responses end with the
 * end token, which is trained.
 */
final class RowTokenizer {
    private static final String FOR_MODELS = " for the context of the step's models";

    private final Tokenizer tokenizer;
    private final DataConfig config;
    private final RowLimits limits;
    private final Optional<ChatTemplate> template;
    private final int end;

    RowTokenizer(Tokenizer tokenizer, DataConfig config, RowLimits limits, Optional<ChatTemplate> template) {
        this.tokenizer = tokenizer;
        this.config = config;
        this.limits = limits;
        this.template = template;
        this.end = tokenizer
                .eosId()
                .orElseThrow(
                        () -> Rlhf4jException.configuration(
                                "the tokenizer has no end token (eos_token in tokenizer_config.json), so no response could end"));
    }

    TrainingRow answered(String key, String source, Prompt prompt, String response, boolean trainPrompt)
            throws UnusableRowException {
        int[] after = responseIds(prompt, response);
        int[] before = besideResponse(promptIds(prompt), after.length);
        boolean[] trained = new boolean[before.length + after.length];
        Arrays.fill(trained, trainPrompt ? 0 : before.length, trained.length, true);
        return new TrainingRow(key, source, join(before, after), trained);
    }

    PreferenceRow preferred(String key, String source, MappedRow.Preferred row) throws UnusableRowException {
        if (row.chosen().equals(row.rejected())) {
            throw UnusableRowException.dropped("chosen and rejected are equal");
        }
        int[] chosen = responseIds(row.prompt(), row.chosen());
        int[] rejected = responseIds(row.prompt(), row.rejected());
        int[] prompt = besideResponse(promptIds(row.prompt()), Math.max(chosen.length, rejected.length));
        return new PreferenceRow(
                key, source, join(prompt, chosen), join(prompt, rejected), prompt.length, (float) row.margin());
    }

    PromptRow prompt(String key, String source, Prompt prompt, String reference) throws UnusableRowException {
        return new PromptRow(key, source, promptIds(prompt), prompt.text(), reference);
    }

    TrainingRow unlabelled(String key, String source, String text) throws UnusableRowException {
        requireText(text, "empty text");
        int[] ids = limited(join(tokenizer.ids(text, true), new int[] {end}), limits.row(), false, "text too long");
        boolean[] trained = new boolean[ids.length];
        Arrays.fill(trained, true);
        return new TrainingRow(key, source, ids, trained);
    }

    /** A conversation whose every answer is trained. */
    TrainingRow conversation(String key, String source, Conversation row) throws UnusableRowException {
        ChatTemplate chat = template.orElseThrow(() -> UnusableRowException.unusable("messages need a chat template"));
        List<Map<String, Object>> messages = withSystem(row.messages());
        Tokens tokens = new Tokens();
        String written = "";
        for (int turn = 0; turn < messages.size(); turn++) {
            if ("assistant".equals(messages.get(turn).get("role"))) {
                String before = chat.render(messages.subList(0, turn), true);
                String after = chat.render(messages.subList(0, turn + 1), false);
                if (!before.startsWith(written) || !after.startsWith(before)) {
                    throw UnusableRowException.unusable("the chat template does not continue its own beginning");
                }
                tokens.add(tokenizer.ids(before.substring(written.length()), false), false);
                tokens.addAnswer(tokenizer.ids(after.substring(before.length()), false), end);
                written = after;
            }
        }
        if (tokens.trained.isEmpty()) {
            throw UnusableRowException.dropped("no answer of an assistant");
        }
        return tokens.row(key, source, limits.row());
    }

    /** The conversation up to its last answer. */
    static Prompt lastPrompt(Conversation row) {
        List<Map<String, Object>> messages = row.messages();
        int last = messages.size() - 1;
        List<Map<String, Object>> before =
                "assistant".equals(messages.get(last).get("role")) ? messages.subList(0, last) : messages;
        return new Prompt(
                before.isEmpty()
                        ? ""
                        : String.valueOf(before.get(before.size() - 1).get("content")),
                before);
    }

    private int[] promptIds(Prompt prompt) throws UnusableRowException {
        requireText(prompt.text(), "empty prompt");
        int[] ids = template.isPresent()
                ? tokenizer.ids(template.get().render(withSystem(prompt.messages()), true), false)
                : tokenizer.ids(prompt.text(), true);
        return limited(ids, limits.prompt(), true, "prompt too long");
    }

    private int[] responseIds(Prompt prompt, String response) throws UnusableRowException {
        requireText(response, "empty response");
        String text = response;
        if (template.isPresent()) {
            List<Map<String, Object>> messages = new ArrayList<>(withSystem(prompt.messages()));
            String before = template.get().render(messages, true);
            messages.add(Prompt.message("assistant", response.strip()));
            String after = template.get().render(messages, false);
            if (!after.startsWith(before)) {
                throw UnusableRowException.unusable("the chat template does not continue its own beginning");
            }
            text = after.substring(before.length());
        }
        Tokens tokens = new Tokens();
        tokens.addAnswer(tokenizer.ids(text, false), end);
        return limited(tokens.upToLastTrained(), limits.response(), false, "response too long");
    }

    private List<Map<String, Object>> withSystem(List<Map<String, Object>> messages) {
        if (config.system().isEmpty() || "system".equals(messages.get(0).get("role"))) {
            return messages;
        }
        List<Map<String, Object>> all = new ArrayList<>();
        all.add(Prompt.message("system", config.system().get()));
        all.addAll(messages);
        return all;
    }

    /** The prompt, which is what gives way where the model cannot read it and its response together. */
    private int[] besideResponse(int[] prompt, int responseLength) throws UnusableRowException {
        return limited(prompt, limits.row() - responseLength, true, "prompt and response too long");
    }

    private int[] limited(int[] ids, int limit, boolean fromTheLeft, String reason) throws UnusableRowException {
        if (ids.length <= limit) {
            return ids;
        }
        if (config.tooLong() == DataConfig.TooLong.DROP || limit < 1) {
            throw UnusableRowException.dropped(limits.equals(RowLimits.of(config)) ? reason : reason + FOR_MODELS);
        }
        return fromTheLeft ? Arrays.copyOfRange(ids, ids.length - limit, ids.length) : Arrays.copyOf(ids, limit);
    }

    private static void requireText(String text, String reason) throws UnusableRowException {
        if (text.isBlank()) {
            throw UnusableRowException.dropped(reason);
        }
    }

    private static int[] join(int[] first, int[] second) {
        int[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** Tokens with their mask, as they grow. */
    private final class Tokens {
        private final List<Integer> ids = new ArrayList<>();
        private final List<Boolean> trained = new ArrayList<>();

        void add(int[] more, boolean train) {
            for (int id : more) {
                ids.add(id);
                trained.add(train);
            }
        }

        /** An answer up to its end token; what a template writes after it (a line break) is not trained. */
        void addAnswer(int[] answer, int endToken) {
            int length = answer.length;
            while (length > 0 && answer[length - 1] != endToken) {
                length--;
            }
            if (length == 0) {
                add(answer, true);
                add(new int[] {endToken}, true);
            } else {
                add(Arrays.copyOf(answer, length), true);
                add(Arrays.copyOfRange(answer, length, answer.length), false);
            }
        }

        int[] upToLastTrained() {
            return ids.stream()
                    .limit(trained.lastIndexOf(true) + 1L)
                    .mapToInt(Integer::intValue)
                    .toArray();
        }

        TrainingRow row(String key, String source, int limit) throws UnusableRowException {
            int[] kept = limited(upToLastTrained(), limit, false, "conversation too long");
            boolean[] mask = new boolean[kept.length];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = trained.get(i);
            }
            return new TrainingRow(key, source, kept, mask);
        }
    }
}
