package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LineProgressTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final LineProgress progress = new LineProgress(new PrintStream(written, true, StandardCharsets.UTF_8));

    @Test
    void aStepGoesOnAfterAnEvaluationWithinIt() {
        progress.begin("ppo", 1, 3);
        progress.begin("evaluate", 0, 1);
        progress.end("evaluate");
        progress.advance("ppo", 3, Map.of("loss", 0.5));
        progress.end("ppo");
        assertThat(lines())
                .containsExactly(
                        "ppo: begins, 1 of 3 done before",
                        "evaluate: begins",
                        "evaluate: done",
                        "ppo: 3/3 loss 0.5000",
                        "ppo: done");
    }

    @Test
    void aStepThatIsTriedAgainBeginsAgain() {
        progress.begin("ppo", 0, 2);
        progress.begin("evaluate", 0, 1);
        progress.begin("ppo", 1, 2);
        progress.advance("ppo", 2, Map.of());
        assertThat(lines()).endsWith("ppo: 2/2");
    }

    private String[] lines() {
        return written.toString(StandardCharsets.UTF_8).strip().split("\\R");
    }
}
