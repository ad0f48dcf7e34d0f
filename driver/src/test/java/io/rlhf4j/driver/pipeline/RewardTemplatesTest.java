package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RewardTemplatesTest {
    private static final String ANGLES =
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
    /** Other words for the same. */
    private static final String SAME = "{%- for message in messages -%}<{{ message['role'] }}>{{ message['content'] }}"
            + "{%- endfor -%}{%- if add_generation_prompt -%}<assistant>{%- endif -%}";

    private static final String SQUARES = "{% for m in messages %}[{{ m.role }}]\n{{ m.content }}{% endfor %}";

    private final Configuration hadoop = new Configuration();

    @TempDir
    private Path folder;

    private Path reward;

    @BeforeEach
    void copyTheModel() throws IOException {
        reward = Files.createDirectory(folder.resolve("reward model"));
        try (Stream<Path> files = Files.list(TinyRun.model("llama"))) {
            for (Path file : files.toList()) {
                Files.copy(file, reward.resolve(file.getFileName()));
            }
        }
    }

    @Test
    void aRewardModelThatReadsOtherMarksIsNamedWithBoth() throws IOException {
        Files.writeString(reward.resolve("chat_template.jinja"), SQUARES);
        assertThat(differences("data.chat=auto", "models.chat_template=" + template(ANGLES)))
                .singleElement()
                .asString()
                .contains("'model'", reward.toString(), "'[user]\\nWhy?'", "'<user>Why?<assistant>'");
    }

    @Test
    void aRewardModelMadeForChatsDoesNotSilentlyReadPlainText() throws IOException {
        Files.writeString(reward.resolve("chat_template.jinja"), SQUARES);
        assertThat(differences("data.chat=never")).singleElement().asString().contains("written like 'Why?'");
    }

    @Test
    void templatesThatWriteTheSameAreTheSame() throws IOException {
        Files.writeString(reward.resolve("chat_template.jinja"), SAME);
        assertThat(differences("data.chat=auto", "models.chat_template=" + template(ANGLES)))
                .isEmpty();
    }

    @Test
    void aRewardModelWithoutTemplateMayBeOfThisRunsOwnKind() throws IOException {
        assertThat(differences("data.chat=auto", "models.chat_template=" + template(ANGLES)))
                .isEmpty();
    }

    private Path template(String source) throws IOException {
        return Files.writeString(folder.resolve("template.jinja"), source);
    }

    private List<String> differences(String... overrides) throws IOException {
        RunConfig config = TinyRun.in(
                folder,
                "chat",
                Stream.concat(Stream.of("ppo.reward_model=" + reward), Stream.of(overrides))
                        .toArray(String[]::new));
        return RewardTemplates.differences(config, PpoModels.of(config, hadoop), hadoop);
    }
}
