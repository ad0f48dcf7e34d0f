package io.rlhf4j.generation;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tokenizer.Tokenizer;
import io.rlhf4j.tokenizer.training.ByteLevelBpeTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tokenizer of bytes: each letter is a token. */
class StopTextsTest {
    private static final int NO_LIMIT = 1000;

    @TempDir
    private Path folder;

    private Tokenizer tokenizer;

    @BeforeEach
    void open() throws IOException {
        Files.writeString(
                folder.resolve("tokenizer.json"),
                new ByteLevelBpeTrainer(256, List.of()).train(List.of()).toJson());
        tokenizer = Tokenizer.load(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration());
    }

    @AfterEach
    void close() {
        tokenizer.close();
    }

    /** How many letters a sample has when it ends, and why it does. */
    private String end(String letters, int minNewTokens, int maxNewTokens, String... stop) {
        StopTexts texts = new StopTexts(List.of(stop), () -> tokenizer.streamingDecoder(true));
        int[] prompt = tokenizer.ids("Q", false);
        Sample sample = new Sample(0, 0, null, prompt, RandomStream.of(1), texts.new Search());
        for (int id : tokenizer.ids(letters, false)) {
            sample.add(id, 0);
            if (sample.finished(new int[0], minNewTokens, maxNewTokens, NO_LIMIT)) {
                Generation result = sample.result();
                return result.finishReason() + " " + result.ids().length;
            }
        }
        return "goes on";
    }

    @Test
    void aSampleEndsWithTheTokenThatCompletesAStopText() {
        assertThat(end("one two\n\nthree", 0, 50, "\n\n", "Human:")).isEqualTo("STOP 9");
        assertThat(end("one\n Human: two", 0, 50, "\n\n", "Human:")).isEqualTo("STOP 11");
        assertThat(end("one two three", 0, 50, "\n\n")).isEqualTo("goes on");
        assertThat(end("aaaa", 0, 3, "b")).isEqualTo("LENGTH 3");
    }

    @Test
    void aStopTextBeforeTheFewestTokensIsPassedOver() {
        assertThat(end("ab.cd.ef", 4, 50, ".")).isEqualTo("STOP 6");
        // A long stop text keeps letters that hold a short one; these do not end it later.
        assertThat(end("ab.cdefgh.", 4, 50, ".", "a long one that never comes")).isEqualTo("STOP 10");
        assertThat(end("ab..", 4, 50, "..")).isEqualTo("STOP 4");
    }
}
