package io.rlhf4j.config.binding;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReferencePageTest {
    /** {@code -Drlhf4j.update-docs=true} writes the page anew. */
    private static final boolean UPDATE = Boolean.getBoolean("rlhf4j.update-docs");

    @Test
    void thePageInTheDocumentationIsTheOneOfTheRecords() throws IOException {
        Path page = Path.of("..", "docs", "configuration.md");
        if (UPDATE) {
            Files.writeString(page, ReferencePage.markdown());
        }
        assertThat(page)
                .as("docs/configuration.md; the test with -Drlhf4j.update-docs=true writes it anew")
                .hasContent(ReferencePage.markdown());
    }

    @Test
    void everySectionIsOnThePage() {
        assertThat(ReferencePage.markdown())
                .contains("## `ppo.kl`", "## `data.sources[].columns`", "`ppo.rewards[]` with `kind: rule`")
                .contains("| `ppo.gamma` | number in [0, 1] | `1` |");
    }
}
