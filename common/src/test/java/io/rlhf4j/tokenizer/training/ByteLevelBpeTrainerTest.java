package io.rlhf4j.tokenizer.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ByteLevelBpeTrainerTest {
    private static final List<String> TEXTS =
            List.of("the cat sat on the mat", "the hat of the cat", "您好！猫坐在垫子上。", "您好！猫的帽子。", "it's 12 or 128");

    @Test
    void aTrainedTokenizerLoadsAndGivesEveryTextBack(@TempDir Path folder) throws IOException {
        ByteLevelBpe trained = new ByteLevelBpeTrainer(300, List.of("<|pad|>", "<|end|>")).train(TEXTS);
        Files.writeString(folder.resolve("tokenizer.json"), trained.toJson());
        try (Tokenizer tokenizer = Tokenizer.load(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration())) {
            assertThat(tokenizer.vocabularySize()).isEqualTo(trained.size()).isLessThanOrEqualTo(300);
            for (String text : TEXTS) {
                int[] ids = tokenizer.ids(text, false);
                assertThat(tokenizer.decode(ids, false)).isEqualTo(text);
                assertThat(ids.length).isLessThan(text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length);
            }
            assertThat(tokenizer.ids("the<|end|>", false))
                    .endsWith(tokenizer.idOf("<|end|>").orElseThrow());
        }
    }

    @Test
    void theMostFrequentPairIsMergedFirstAndEqualTextsGiveEqualVocabularies() {
        ByteLevelBpeTrainer trainer = new ByteLevelBpeTrainer(260, List.of());
        ByteLevelBpe trained = trainer.train(List.of("ababab ab", "xyx"));
        assertThat(trained.merges().get(0)).isEqualTo(new ByteLevelBpe.Merge("a", "b"));
        assertThat(trainer.train(List.of("ababab ab", "xyx"))).isEqualTo(trained);
    }
}
