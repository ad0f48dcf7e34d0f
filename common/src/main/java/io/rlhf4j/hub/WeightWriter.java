package io.rlhf4j.hub;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.FloatSource;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.format.TensorInfo;
import io.rlhf4j.model.family.HubTensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Writes a model's parameters as safetensors, under the names and in the layout of its family. */
final class WeightWriter {
    /** What transformers takes for a shard. */
    private static final long SHARD_BYTES = 5_000_000_000L;

    private final Configuration configuration;

    WeightWriter(Configuration configuration) {
        this.configuration = configuration;
    }

    void write(WeightBinding binding, Path directory, ElementType type) throws IOException {
        List<NamedTensor> tensors = binding.tensors().values().stream()
                .map(tensor -> new NamedTensor(new TensorInfo(tensor.name(), type, tensor.shape()), valuesOf(tensor)))
                .toList();
        // transformers refuses files that do not say which framework's conventions they follow
        new SafetensorsWriter(configuration).writeModel(directory, tensors, Map.of("format", "pt"), SHARD_BYTES);
    }

    private static FloatSource valuesOf(HubTensor tensor) {
        if (tensor.inOrder()) {
            return FloatSource.of(tensor.rowsOf(tensor.parameter().value()));
        }
        return new FloatSource() {
            private float[] values;

            @Override
            public void read(long offset, float[] target, int count) {
                if (values == null) {
                    values =
                            WeightBinding.inFileOrder(tensor, tensor.parameter().value());
                }
                System.arraycopy(values, Math.toIntExact(offset), target, 0, count);
                if (offset + count == values.length) {
                    values = null;
                }
            }
        };
    }
}
