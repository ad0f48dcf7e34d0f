package io.rlhf4j.driver.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.config.Step;
import io.rlhf4j.driver.pipeline.StepResult;
import io.rlhf4j.tensor.Backends;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuickstartJudgementTest {
    @TempDir
    Path folder;

    @Test
    void aRunWithoutPpoIsNotComparedAndSaysWhatThatNeeds() throws IOException {
        Quickstart quickstart = new Quickstart(folder.resolve("quick"), 1, false);
        List<StepResult> results =
                List.of(new StepResult(Step.SFT, 3, Map.of(), Map.of(), Map.of("sft", "export/sft")));
        String told = quickstart.judge(
                quickstart.config(List.of("steps=[sft, reward]")),
                results,
                Backends.onClassPath().choose("cpu", 1));
        assertThat(told).contains("has the steps sft and ppo");
        assertThat(folder.resolve("quick/quickstart.json")).doesNotExist();
    }
}
