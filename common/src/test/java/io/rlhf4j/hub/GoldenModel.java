package io.rlhf4j.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.golden.GoldenFolder;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;

/** One folder of {@code golden/models}: a model and what a reference implementation computed with it. */
final class GoldenModel implements AutoCloseable {
    private static final Configuration HADOOP = new Configuration(false);

    private final Path folder;
    private final JsonNode description;
    private final TensorReader expected;

    GoldenModel(Path folder) {
        try {
            this.folder = folder;
            this.description = GoldenFolder.json(folder.resolve("expected.json"));
            this.expected = open(folder.resolve("expected.safetensors"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static TensorReader open(Path file) throws IOException {
        return new TensorFiles(HADOOP).open(new org.apache.hadoop.fs.Path(file.toUri()));
    }

    org.apache.hadoop.fs.Path directory() {
        return new org.apache.hadoop.fs.Path(folder.toUri());
    }

    static ModelDirectory directories() {
        return new ModelDirectory(HADOOP);
    }

    Path folder() {
        return folder;
    }

    CausalLanguageModel load(Scope scope) throws IOException {
        return directories().loadCausal(directory(), scope, DType.FP32);
    }

    /** Gradients of {@code loss_full}, by name. */
    TensorReader gradients() throws IOException {
        return open(folder.resolve("grads.safetensors"));
    }

    Set<String> tensorNames() {
        return new TreeSet<>(expected.tensors().keySet());
    }

    Set<String> scalarNames() {
        Set<String> names = new TreeSet<>();
        description.path("scalars").fieldNames().forEachRemaining(names::add);
        return names;
    }

    boolean has(String tensor) {
        return expected.contains(tensor);
    }

    JsonNode scalar(String name) {
        JsonNode value = description.path("scalars").path(name).path("value");
        if (value.isMissingNode()) {
            throw new IllegalStateException(folder + " has no scalar " + name);
        }
        return value;
    }

    /** Of logits, log-probabilities and losses; never above 5e-4. */
    double tolerance() {
        return Math.min(5e-4, 1e-4 * Math.max(1, scalar("logits_max_abs").doubleValue()));
    }

    double[] series(String name) {
        return StreamSupport.stream(scalar(name).spliterator(), false)
                .mapToDouble(JsonNode::doubleValue)
                .toArray();
    }

    float[] floats(String name) throws IOException {
        return expected.readFloats(name);
    }

    /** A matrix of whole numbers. */
    int[][] integers(String name) throws IOException {
        long[] values = expected.readLongs(name);
        int columns = expected.info(name).shape().get(1);
        int[][] rows = new int[values.length / columns][columns];
        for (int i = 0; i < values.length; i++) {
            rows[i / columns][i % columns] = Math.toIntExact(values[i]);
        }
        return rows;
    }

    /** The three sequences as the side {@code right} or {@code left} holds them. */
    TokenBatch batch(String side) throws IOException {
        return TokenBatch.fromPadded(integers(side + ".input_ids"), integers(side + ".attention_mask"));
    }

    /** For each packed token the index (row, column) of its place in the padded matrix of {@code side}. */
    List<int[]> places(String side) throws IOException {
        int[][] mask = integers(side + ".attention_mask");
        List<int[]> places = new ArrayList<>();
        for (int row = 0; row < mask.length; row++) {
            for (int column = 0; column < mask[row].length; column++) {
                if (mask[row][column] != 0) {
                    places.add(new int[] {row, column});
                }
            }
        }
        return places;
    }

    /** The tokens that {@code labels} asks to be predicted, as packed rows and targets. */
    Predictions predictions(String labels) throws IOException {
        int[][] wanted = integers(labels);
        List<int[]> places = places("right");
        int[] rows = new int[places.size()];
        int[] targets = new int[places.size()];
        int count = 0;
        for (int packed = 0; packed < places.size(); packed++) {
            int[] place = places.get(packed);
            int next = place[1] + 1;
            if (next < wanted[0].length && wanted[place[0]][next] != -100) {
                rows[count] = packed;
                targets[count++] = wanted[place[0]][next];
            }
        }
        return new Predictions(Arrays.copyOf(rows, count), Arrays.copyOf(targets, count));
    }

    record Predictions(int[] rows, int[] targets) {}

    @Override
    public void close() throws IOException {
        expected.close();
    }

    @Override
    public String toString() {
        return folder.getFileName().toString();
    }
}
