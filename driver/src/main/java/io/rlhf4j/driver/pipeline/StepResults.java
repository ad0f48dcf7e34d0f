package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.Step;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.run.RunFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.apache.hadoop.fs.Path;

/** What the steps of a run came to, in its folder: a step whose result is there is done. */
public final class StepResults {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RunFolder folder;
    /** Those of a run. */
    public StepResults(RunFolder folder) {
        this.folder = folder;
    }

    /** The result of a step; empty where it is not done. */
    public Optional<StepResult> of(Step step) {
        Path file = folder.result(step);
        try {
            Optional<String> text = folder.files().read(file);
            return text.isEmpty() ? Optional.empty() : Optional.of(JSON.readValue(text.get(), StepResult.class));
        } catch (IOException unreadable) {
            throw Rlhf4jException.data(
                    "%s cannot be read: %s; remove it to run %s again"
                            .formatted(file, unreadable.getMessage(), step.key()),
                    unreadable);
        }
    }

    void keep(StepResult result) {
        try {
            folder.files().write(folder.result(result.step()), JSON.writeValueAsString(result));
        } catch (IOException unwritable) {
            throw new UncheckedIOException("cannot write " + folder.result(result.step()), unwritable);
        }
    }
}
