package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.ModelReward;
import io.rlhf4j.config.RewardConfig;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.driver.data.PromptFormat;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tokenizer.ChatTemplate;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Compares how the run writes conversations with how its reward models were taught to read them. A reward model is given
 * the actor's tokens; one that expects other marks around them still gives a score, and nothing would look wrong.
 */
final class RewardTemplates {
    private static final List<Map<String, String>> PROBE = List.of(Map.of("role", "user", "content", "Why?"));

    private RewardTemplates() {}

    /** A line for each reward model whose own chat template writes conversations in another way. */
    static List<String> differences(RunConfig config, PpoModels models, Configuration hadoop) throws IOException {
        List<String> lines = new ArrayList<>();
        try (Tokenizer tokenizer = PromptFormat.tokenizer(config, hadoop)) {
            Optional<ChatTemplate> own = PromptFormat.template(config, tokenizer, hadoop);
            for (RewardConfig reward : PpoModels.rewards(config.ppo())) {
                if (reward instanceof ModelReward model) {
                    difference(model, models.directoryOf(model), own, hadoop).ifPresent(lines::add);
                }
            }
        }
        return lines;
    }

    private static Optional<String> difference(
            ModelReward reward, String directory, Optional<ChatTemplate> own, Configuration hadoop) throws IOException {
        if (!PpoModels.hasFile(directory, "tokenizer.json", hadoop)) {
            return Optional.empty();
        }
        try (Tokenizer tokenizer = Tokenizer.load(new Path(directory), hadoop)) {
            String expected =
                    tokenizer.chatTemplate().map(RewardTemplates::probe).orElse(null);
            String given = own.map(RewardTemplates::probe).orElse("Why?");
            if (expected == null || expected.equals(given)) {
                return Optional.empty();
            }
            return Optional.of(
                    ("the reward model '%s' (%s) was made for conversations like '%s', but prompts of this run are"
                                    + " written like '%s', by the actor's template: it scores texts of a kind that it has not learned;"
                                    + " train one with the step reward, or set models.chat_template or data.chat")
                            .formatted(reward.name(), directory, oneLine(expected), oneLine(given)));
        }
    }

    private static String probe(ChatTemplate template) {
        try {
            return template.render(PROBE, true);
        } catch (Rlhf4jException refused) {
            return "(a template that refuses a single question: " + refused.getMessage() + ")";
        }
    }

    private static String oneLine(String text) {
        return text.replace("\n", "\\n");
    }
}
