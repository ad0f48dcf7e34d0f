package io.rlhf4j.driver.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HadoopSettingsTest {
    private static final String SUBMITTED = "spark.hadoop.fs.told.by";

    @TempDir
    private Path folder;

    @AfterEach
    void forget() {
        System.clearProperty(SUBMITTED);
    }

    @Test
    void whatARunSaysOfFilesHoldsBeforeThereIsASession() throws IOException {
        System.setProperty(SUBMITTED, "spark-submit");
        Path secret = Files.writeString(folder.resolve("key"), "42\n");
        Configuration hadoop = HadoopSettings.of(config("{spark.hadoop.fs.s3a.endpoint: \"http://store:9000\","
                + " spark.hadoop.fs.s3a.secret.key: \"${file:%s}\", spark.executor.cores: \"1\"}".formatted(secret)));
        assertThat(hadoop.get("fs.s3a.endpoint")).isEqualTo("http://store:9000");
        assertThat(hadoop.get("fs.s3a.secret.key")).isEqualTo("42");
        assertThat(hadoop.get("fs.told.by")).isEqualTo("spark-submit");
        assertThat(hadoop.get("spark.executor.cores")).isNull();
        assertThat(HadoopSettings.of(config("{%s: the run}".formatted(SUBMITTED)))
                        .get("fs.told.by"))
                .isEqualTo("the run");
        assertThat(HadoopSettings.ofProcess().get("fs.told.by")).isEqualTo("spark-submit");
    }

    @Test
    void aSecretThatIsNotThereIsRefused() {
        RunConfig config = config("{spark.hadoop.fs.s3a.secret.key: \"${file:/no/such/file}\"}");
        assertThatThrownBy(() -> HadoopSettings.of(config))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CONFIGURATION))
                .hasMessageContaining("/no/such/file");
    }

    private static RunConfig config(String spark) {
        return ConfigFile.read(
                "name: x\nmodels: {actor: none}\ncluster: {spark: %s}\n".formatted(spark), "x", List.of());
    }
}
