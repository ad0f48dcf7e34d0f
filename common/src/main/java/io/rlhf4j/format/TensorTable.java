package io.rlhf4j.format;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tensors whose places in their files are known: what every format comes down to. */
final class TensorTable implements TensorReader {
    private final String origin;
    private final Map<String, StoredTensor> stored;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();
    private final Map<String, String> metadata;
    private final List<OpenFile> files;

    /**
     * A table of checked tensors.
     *
     * @param files to be verified and closed with this
     */
    TensorTable(String origin, Map<String, StoredTensor> stored, Map<String, String> metadata, List<OpenFile> files) {
        this.origin = origin;
        this.stored = stored;
        this.metadata = Map.copyOf(metadata);
        this.files = List.copyOf(files);
        stored.forEach((name, tensor) -> infos.put(name, tensor.info()));
    }

    @Override
    public String origin() {
        return origin;
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(infos);
    }

    @Override
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public TensorInfo info(String name) {
        return stored(name).info();
    }

    @Override
    public void read(String name, FloatSink sink) throws IOException {
        StoredTensor tensor = floating(name);
        float[] values = new float[(int) Math.min(tensor.info().elements(), RandomAccessBytes.MAXIMUM_READ)];
        tensor.forEachPiece((first, bytes, count) -> {
            ElementCodec.toFloats(tensor.info().type(), bytes, values, count);
            sink.accept(first, values, count);
        });
    }

    @Override
    public float[] readFloats(String name) throws IOException {
        float[] all = new float[arrayLength(floating(name).info())];
        read(name, (offset, values, count) -> System.arraycopy(values, 0, all, Math.toIntExact(offset), count));
        return all;
    }

    @Override
    public double[] readDoubles(String name) throws IOException {
        StoredTensor tensor = floating(name);
        double[] all = new double[arrayLength(tensor.info())];
        tensor.forEachPiece((first, bytes, count) ->
                ElementCodec.toDoubles(tensor.info().type(), bytes, all, Math.toIntExact(first), count));
        return all;
    }

    @Override
    public long[] readLongs(String name) throws IOException {
        StoredTensor tensor = stored(name);
        if (tensor.info().type().floating()) {
            throw Rlhf4jException.data("%s: tensor '%s' has type %s, an integer type is wanted"
                    .formatted(origin, name, tensor.info().type()));
        }
        long[] all = new long[arrayLength(tensor.info())];
        tensor.forEachPiece((first, bytes, count) ->
                ElementCodec.toLongs(tensor.info().type(), bytes, all, Math.toIntExact(first), count));
        return all;
    }

    @Override
    public void read(String name, Tensor target) throws IOException {
        TensorInfo info = floating(name).info();
        if (info.elements() != target.elements()) {
            throw Rlhf4jException.data("%s: tensor '%s' has shape %s, %s is wanted; is config.json of the same model?"
                    .formatted(origin, name, info.shape(), target));
        }
        Tensor flat = target.flatten();
        read(name, (offset, values, count) -> {
            int from = Math.toIntExact(offset);
            flat.backend().write(flat.slice(from, from + count), values, 0);
        });
    }

    StoredTensor stored(String name) {
        StoredTensor tensor = stored.get(name);
        if (tensor == null) {
            throw Rlhf4jException.data("%s: there is no tensor '%s' among its %d; is it a model of another family?"
                    .formatted(origin, name, stored.size()));
        }
        return tensor;
    }

    private StoredTensor floating(String name) {
        StoredTensor tensor = stored(name);
        if (!tensor.info().type().floating()) {
            throw Rlhf4jException.data("%s: tensor '%s' has type %s, a floating-point type is wanted"
                    .formatted(origin, name, tensor.info().type()));
        }
        return tensor;
    }

    private int arrayLength(TensorInfo info) {
        if (info.elements() > Integer.MAX_VALUE - 8) {
            throw Rlhf4jException.data("%s: tensor '%s' of shape %s has too many elements for one array"
                    .formatted(origin, info.name(), info.shape()));
        }
        return (int) info.elements();
    }

    @Override
    public void verify() throws IOException {
        for (OpenFile file : files) {
            file.verify();
        }
    }

    @Override
    public void close() throws IOException {
        for (OpenFile file : files) {
            file.close();
        }
    }
}
