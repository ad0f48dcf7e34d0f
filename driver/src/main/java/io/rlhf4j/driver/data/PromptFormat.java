package io.rlhf4j.driver.data;

import io.rlhf4j.config.DataConfig.ChatUse;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.tokenizer.ChatTemplate;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Which tokenizer a run uses, and whether its prompts go through a chat template. */
public final class PromptFormat {
    private static final int MOST_BYTES = 1 << 20;

    private PromptFormat() {}

    /** The run's tokenizer. */
    public static Tokenizer tokenizer(RunConfig config, Configuration hadoop) throws IOException {
        return Tokenizer.load(new Path(config.models().tokenizerOrActor()), hadoop);
    }

    /** The template that prompts go through; empty where they are plain text. */
    public static Optional<ChatTemplate> template(RunConfig config, Tokenizer tokenizer, Configuration hadoop)
            throws IOException {
        if (config.data().chat() == ChatUse.NEVER) {
            return Optional.empty();
        }
        Optional<ChatTemplate> template = config.models().chatTemplate().isPresent()
                ? Optional.of(ofFile(config.models().chatTemplate().get(), tokenizer, hadoop))
                : tokenizer.chatTemplate();
        if (template.isEmpty() && config.data().chat() == ChatUse.ALWAYS) {
            throw Rlhf4jException.configuration(
                    "data.chat is always, but the tokenizer of %s has no chat template; give one by models.chat_template"
                            .formatted(config.models().tokenizerOrActor()));
        }
        return template;
    }

    private static ChatTemplate ofFile(String file, Tokenizer tokenizer, Configuration hadoop) throws IOException {
        Path path = new Path(file);
        if (!PlainFiles.exists(path, hadoop)) {
            throw Rlhf4jException.configuration("models.chat_template: there is no file %s".formatted(file));
        }
        byte[] source = PlainFiles.read(path, MOST_BYTES, hadoop);
        return tokenizer.withTemplate(file, new String(source, StandardCharsets.UTF_8));
    }
}
