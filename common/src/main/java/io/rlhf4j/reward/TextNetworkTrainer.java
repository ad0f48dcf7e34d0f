package io.rlhf4j.reward;

import io.rlhf4j.error.Rlhf4jException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Trains the small network that {@link TextNetworkReward} asks: features, one hidden layer, the probability of "good". */
public final class TextNetworkTrainer {
    /**
     * How a network is trained.
     *
     * @param features inputs of the network
     * @param hidden units of the hidden layer
     * @param epochs passes over the texts
     * @param batchSize texts of one step
     * @param learningRate of Adam
     * @param seed of the first weights and of the order of texts
     */
    public record Settings(int features, int hidden, int epochs, int batchSize, double learningRate, long seed) {
        /** A good start for some thousand texts. */
        public static final Settings PRESET = new Settings(4096, 64, 10, 32, 1e-3, 0);
    }

    private final Settings settings;
    private final TextFeatures features;

    public TextNetworkTrainer(Settings settings) {
        this.settings = settings;
        this.features = new TextFeatures(settings.features());
    }

    /**
     * A network trained on {@code texts}.
     *
     * @throws Rlhf4jException of kind DATA where there are none, or all have one label
     */
    public MultiLayerNetwork train(List<LabelledText> texts) {
        if (texts.stream().mapToDouble(LabelledText::label).distinct().count() < 2) {
            throw Rlhf4jException.data(
                    "%d labelled texts with fewer than two different labels: nothing can be learned from them"
                            .formatted(texts.size()));
        }
        MultiLayerNetwork network = new MultiLayerNetwork(architecture());
        network.init();
        List<LabelledText> order = new ArrayList<>(texts);
        Random random = new Random(settings.seed());
        for (int epoch = 0; epoch < settings.epochs(); epoch++) {
            Collections.shuffle(order, random);
            for (int from = 0; from < order.size(); from += settings.batchSize()) {
                fit(network, order.subList(from, Math.min(order.size(), from + settings.batchSize())));
            }
        }
        return network;
    }

    /** Share of texts whose label, rounded, the network finds. */
    public double accuracy(MultiLayerNetwork network, List<LabelledText> texts) {
        try (INDArray input = inputs(texts)) {
            float[] outputs = network.output(input).getColumn(0).toFloatVector();
            int right = 0;
            for (int i = 0; i < outputs.length; i++) {
                right += Math.round(outputs[i]) == Math.round(texts.get(i).label()) ? 1 : 0;
            }
            return right / (double) texts.size();
        }
    }

    /**
     * Shares of answers that a network judges as their labels do; NaN where there are none.
     *
     * @param trained among those it was trained on
     * @param heldOut among the others
     */
    public record Accuracy(double trained, double heldOut) {}

    /** Trains a network, writes it to a file and measures it. */
    public Accuracy trainAndSave(
            List<LabelledText> texts, List<LabelledText> heldOut, Path file, Configuration configuration)
            throws IOException {
        MultiLayerNetwork network = train(texts);
        save(network, file, configuration);
        return new Accuracy(accuracy(network, texts), heldOut.isEmpty() ? Double.NaN : accuracy(network, heldOut));
    }

    /** Writes a network so that {@link TextNetworkReward#load} reads it. */
    public static void save(MultiLayerNetwork network, Path file, Configuration configuration) throws IOException {
        try (OutputStream out =
                new BufferedOutputStream(file.getFileSystem(configuration).create(file, true))) {
            ModelSerializer.writeModel(network, out, false);
        }
    }

    private MultiLayerConfiguration architecture() {
        return new NeuralNetConfiguration.Builder()
                .seed(settings.seed())
                .updater(new Adam(settings.learningRate()))
                .weightInit(WeightInit.XAVIER)
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(settings.features())
                        .nOut(settings.hidden())
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder(LossFunctions.LossFunction.XENT)
                        .nIn(settings.hidden())
                        .nOut(1)
                        .activation(Activation.SIGMOID)
                        .build())
                .build();
    }

    private void fit(MultiLayerNetwork network, List<LabelledText> batch) {
        float[][] labels = new float[batch.size()][1];
        for (int i = 0; i < labels.length; i++) {
            labels[i][0] = (float) batch.get(i).label();
        }
        try (INDArray input = inputs(batch);
                INDArray target = Nd4j.createFromArray(labels)) {
            network.fit(input, target);
        }
    }

    private INDArray inputs(List<LabelledText> texts) {
        return Nd4j.createFromArray(texts.stream()
                .map(text -> features.of(text.prompt(), text.response()))
                .toArray(float[][]::new));
    }
}
