package io.rlhf4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretsTest {
    @Test
    void referencesAreLookedUpInTheEnvironmentAndInFiles(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("key"), "from file\n");
        Secrets secrets = new Secrets(Map.of("TOKEN", "a$1b"));

        assertThat(secrets.resolve(Map.of("a", "${env:TOKEN}", "b", "x-${file:" + file + "}", "c", "plain $1")))
                .containsEntry("a", "a$1b")
                .containsEntry("b", "x-from file")
                .containsEntry("c", "plain $1");
    }

    @Test
    void whatIsNotThereIsNamed() {
        Secrets secrets = new Secrets(Map.of());
        assertThatThrownBy(() -> secrets.resolve(Map.of("spark.x", "${env:NO_SUCH}")))
                .hasMessageContaining("spark.x asks for the environment variable NO_SUCH, which is not set");
        assertThatThrownBy(() -> secrets.resolve(Map.of("spark.x", "${file:/no/such}")))
                .hasMessageContaining("spark.x asks for the file /no/such, which cannot be read");
    }

    @Test
    void aSecretInTheClearIsRefusedAndNotRepeated() {
        assertThatThrownBy(() -> ConfigFile.parse(ClusterConfig.class, "spark: {spark.authenticate.secret: hunter2}"))
                .hasMessageContaining("spark.authenticate.secret")
                .hasMessageContaining("${env:NAME}")
                .message()
                .doesNotContain("hunter2");
    }
}
