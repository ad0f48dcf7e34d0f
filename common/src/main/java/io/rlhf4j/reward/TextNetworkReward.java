package io.rlhf4j.reward;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The first output of a Deeplearning4j network over {@link TextFeatures}. Its first layer's inputs say how many features
 * it takes.
 */
public final class TextNetworkReward implements Reward {
    private final MultiLayerNetwork network;
    private final TextFeatures features;

    public TextNetworkReward(MultiLayerNetwork network) {
        this.network = network;
        this.features = new TextFeatures(network.layerInputSize(0));
    }

    /**
     * Reads a network that {@code ModelSerializer} wrote.
     *
     * @throws Rlhf4jException of kind DATA where the file is missing or is no such network
     */
    public static TextNetworkReward load(Path file, Configuration configuration) {
        try (InputStream in =
                new BufferedInputStream(file.getFileSystem(configuration).open(file))) {
            return new TextNetworkReward(ModelSerializer.restoreMultiLayerNetwork(in, false));
        } catch (IOException | RuntimeException unreadable) {
            throw new Rlhf4jException(
                    ErrorKind.DATA,
                    "%s: cannot be read as a MultiLayerNetwork of ModelSerializer: %s"
                            .formatted(file, unreadable.getMessage()),
                    unreadable);
        }
    }

    @Override
    public List<Score> score(List<Answer> answers, Deadline deadline) {
        float[][] rows = new float[answers.size()][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = features.of(answers.get(i).prompt(), answers.get(i).response());
        }
        try (INDArray input = Nd4j.createFromArray(rows)) {
            float[] outputs = network.output(input).getColumn(0).toFloatVector();
            List<Score> scores = new ArrayList<>();
            for (float output : outputs) {
                scores.add(Score.of(output));
            }
            return scores;
        }
    }

    @Override
    public void close() {
        network.close();
    }
}
