package io.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.golden.GoldenFolder;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.Passes;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;

class SharedVocabularyTest {
    private static final Configuration CONFIGURATION = new Configuration();

    @Test
    void anActorAndARewardModelOfDifferentVocabulariesAreRefused() throws IOException {
        try (Tokenizer llama = tokenizer("llama");
                Tokenizer same = tokenizer("llama");
                Tokenizer gpt = tokenizer("gpt2")) {
            assertThatCode(() -> VocabularyCheck.require("actor", llama, "reward", same))
                    .doesNotThrowAnyException();
            assertThatThrownBy(() -> VocabularyCheck.require("models/actor", llama, "models/reward", gpt))
                    .isInstanceOf(Rlhf4jException.class)
                    .hasMessageContaining("models/actor and models/reward have different vocabularies")
                    .extracting(thrown -> ((Rlhf4jException) thrown).kind())
                    .isEqualTo(ErrorKind.CONFIGURATION);
        }
        assertThat(ErrorKind.CONFIGURATION.exitCode()).isEqualTo(2);
    }

    @Test
    void aRewardModelScoresTheLastTokenOfWhatWasSampledHoweverItIsBatched() throws IOException {
        try (Scope scope = Scope.root(Backends.onClassPath().choose("cpu", 1).backend(), "test")) {
            ScoreModel model = new ModelDirectory(CONFIGURATION).loadScore(directory("llama"), scope, DType.FP32, 3);
            List<Answer> answers = new ArrayList<>();
            List<Float> expected = new ArrayList<>();
            for (int length = 1; length < 8; length++) {
                int[] prompt = {5, 9, 13};
                int[] response = new int[length];
                Arrays.setAll(response, i -> 20 + 3 * i);
                answers.add(new Answer("row", "test", "", "", "", prompt, response, true));
                TokenBatch alone = TokenBatch.of(List.of(PackedRows.join(prompt, response)));
                expected.add(model.scores(scope, alone, alone.lastRows())[0]);
            }
            List<Score> scores = new ScoreModelReward(model, Passes.HERE, scope, 16)
                    .score(answers, Deadline.in(Duration.ofMinutes(1)));

            for (int i = 0; i < answers.size(); i++) {
                assertThat(((Score.Given) scores.get(i)).value()).isCloseTo((double) expected.get(i), within(1e-5));
            }
        }
    }

    private static Tokenizer tokenizer(String model) throws IOException {
        return Tokenizer.load(directory(model), CONFIGURATION);
    }

    private static Path directory(String model) {
        return new Path(GoldenFolder.root().resolve("models").resolve(model).toUri());
    }
}
