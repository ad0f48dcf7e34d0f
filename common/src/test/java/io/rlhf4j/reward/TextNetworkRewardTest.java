package io.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.Rlhf4jException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextNetworkRewardTest {
    private static final TextNetworkTrainer.Settings SMALL = new TextNetworkTrainer.Settings(256, 16, 20, 16, 5e-3, 7);

    @TempDir
    private java.nio.file.Path folder;

    @Test
    void aTrainedNetworkJudgesTextsItHasNotSeenAndSurvivesItsFile() throws Exception {
        TextNetworkTrainer trainer = new TextNetworkTrainer(SMALL);
        MultiLayerNetwork network = trainer.train(texts(300, 1));
        assertThat(trainer.accuracy(network, texts(100, 2))).isGreaterThan(0.9);

        Path file = new Path(folder.resolve("network.zip").toUri());
        TextNetworkTrainer.save(network, file, new Configuration());
        try (Reward reward = TextNetworkReward.load(file, new Configuration())) {
            List<Score> scores = reward.score(
                    List.of(
                            Answers.of("Where is it?", "thank you for asking, it is here", ""),
                            Answers.of("Where is it?", "go away, stupid", "")),
                    Deadline.in(Duration.ofSeconds(30)));

            assertThat(((Score.Given) scores.get(0)).value()).isBetween(0.5, 1.0);
            assertThat(((Score.Given) scores.get(1)).value()).isBetween(0.0, 0.5);
        }
    }

    @Test
    void theSameSeedGivesTheSameNetwork() {
        MultiLayerNetwork one = new TextNetworkTrainer(SMALL).train(texts(60, 1));
        MultiLayerNetwork two = new TextNetworkTrainer(SMALL).train(texts(60, 1));

        assertThat(one.params().toFloatVector()).isEqualTo(two.params().toFloatVector());
    }

    @Test
    void labelsThatAreAllEqualTeachNothing() {
        List<LabelledText> good = List.of(new LabelledText("q", "a", 1), new LabelledText("q", "b", 1));

        assertThatThrownBy(() -> new TextNetworkTrainer(SMALL).train(good))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("different labels");
    }

    @Test
    void aFileThatIsNoNetworkIsRefusedByName() throws Exception {
        java.nio.file.Path file = folder.resolve("text.zip");
        Files.writeString(file, "not a network");

        assertThatThrownBy(() -> TextNetworkReward.load(new Path(file.toUri()), new Configuration()))
                .isInstanceOf(Rlhf4jException.class)
                .hasMessageContaining("text.zip");
    }

    private static List<LabelledText> texts(int count, long seed) {
        List<String> kind = List.of("thank you", "please", "gladly", "of course", "here you are");
        List<String> rude = List.of("stupid", "go away", "no", "shut up", "whatever");
        List<String> filler =
                List.of("it is", "the box", "here", "for asking", "with the lid", "tomorrow", "on Monday");
        Random random = new Random(seed);
        List<LabelledText> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean good = random.nextBoolean();
            List<String> tone = good ? kind : rude;
            String response = tone.get(random.nextInt(tone.size())) + " " + filler.get(random.nextInt(filler.size()))
                    + " " + filler.get(random.nextInt(filler.size()));
            texts.add(new LabelledText("Where is it?", response, good ? 1 : 0));
        }
        return texts;
    }
}
