package io.rlhf4j.golden;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a golden folder holds is read by one of the golden tests: a kind that none of them knows would pass unseen. */
class KindsGoldenTest {
    private static final List<String> KNOWN = List.of("algorithms", "chat", "models", "tokenizers");

    @Test
    void everyFolderIsOfAKindThatIsKnown() throws IOException {
        try (Stream<Path> entries = Files.list(GoldenFolder.root())) {
            assertThat(entries.filter(Files::isDirectory)
                            .map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(KNOWN);
        }
    }
}
