package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.reward.Answer;
import io.rlhf4j.reward.Deadline;
import io.rlhf4j.reward.Score;
import io.rlhf4j.reward.TextNetworkReward;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetworkCommandTest {
    @TempDir
    private Path folder;

    @Test
    void aNetworkTrainedOnPairsAndLabelsIsAReward() throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            lines.append(
                    "{\"prompt\": \"Question %d\", \"chosen\": \"Gladly, here is %d.\", \"rejected\": \"Go away %d\"}%n"
                            .formatted(i, i, i));
            lines.append("{\"prompt\": \"问题 %d\", \"response\": \"很高兴为您服务\", \"label\": true}%n".formatted(i));
        }
        Path data = Files.writeString(folder.resolve("answers.jsonl"), lines);
        Path file = folder.resolve("network.zip");
        ToolRun run = ToolRun.of(
                "network",
                "--data",
                data.toString(),
                "--output",
                file.toString(),
                "--features",
                "256",
                "--epochs",
                "20");

        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("trained on", "held out", "accuracy 1.000");
        try (TextNetworkReward reward =
                TextNetworkReward.load(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration())) {
            assertThat(score(reward, "Gladly, here is 7.")).isGreaterThan(0.5);
            assertThat(score(reward, "Go away 7")).isLessThan(0.5);
        }
    }

    @Test
    void aCorruptLineIsNamed() throws Exception {
        Path data = Files.writeString(
                folder.resolve("answers.jsonl"),
                "{\"prompt\": \"a\", \"response\": \"b\", \"label\": 1}\n{\"prompt\": ");
        ToolRun run = ToolRun.of("network", "--data", data.toString(), "--output", folder + "/network.zip");

        assertThat(run.exitCode()).isEqualTo(3);
        assertThat(run.err()).contains("answers.jsonl:2");
    }

    private static double score(TextNetworkReward reward, String response) {
        Answer answer = new Answer("row", "test", "Question 7", response, "", new int[0], new int[] {1}, true);
        return ((Score.Given) reward.score(List.of(answer), Deadline.in(Duration.ofSeconds(30)))
                        .get(0))
                .value();
    }
}
