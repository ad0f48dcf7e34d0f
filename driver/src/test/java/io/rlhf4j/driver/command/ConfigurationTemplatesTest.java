package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigurationTemplatesTest {
    static List<Path> templates() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("..", "deploy", "conf"))) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("templates")
    void everyTemplateCanBeRead(Path template) throws IOException {
        RunConfig config = ConfigFile.read(Files.readString(template), template.toString(), List.of());
        assertThat(config.data().sources()).isNotEmpty();
    }
}
