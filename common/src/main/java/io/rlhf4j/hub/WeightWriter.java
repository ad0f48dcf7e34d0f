package io.rlhf4j.hub;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.FloatSource;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.format.TensorInfo;
import io.rlhf4j.model.Parameter;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.UnitHooks;
import io.rlhf4j.model.family.HubTensor;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Writes a model's parameters as safetensors, under the names and in the layout of its family. A unit is in use while its
 * tensors are written: where it is cut among ranks, it is gathered for no longer than that.
 */
final class WeightWriter {
    /** What transformers takes for a shard. */
    private static final long SHARD_BYTES = 5_000_000_000L;

    private final Configuration configuration;
    private final UnitHooks hooks;
    private ParameterUnit inUse;

    WeightWriter(Configuration configuration, UnitHooks hooks) {
        this.configuration = configuration;
        this.hooks = hooks;
    }

    void write(WeightBinding binding, Path directory, ElementType type) throws IOException {
        List<NamedTensor> tensors = binding.tensors().values().stream()
                .map(tensor -> new NamedTensor(new TensorInfo(tensor.name(), type, tensor.shape()), valuesOf(tensor)))
                .toList();
        // transformers refuses files that do not say which framework's conventions they follow
        new SafetensorsWriter(configuration).writeModel(directory, tensors, Map.of("format", "pt"), SHARD_BYTES);
        use(null);
    }

    private FloatSource valuesOf(HubTensor tensor) {
        if (tensor.inOrder()) {
            return (offset, target, count) ->
                    FloatSource.of(tensor.rowsOf(valueOf(tensor.parameter()))).read(offset, target, count);
        }
        return new FloatSource() {
            private float[] values;

            @Override
            public void read(long offset, float[] target, int count) {
                if (values == null) {
                    values = WeightBinding.inFileOrder(tensor, valueOf(tensor.parameter()));
                }
                System.arraycopy(values, Math.toIntExact(offset), target, 0, count);
                if (offset + count == values.length) {
                    values = null;
                }
            }
        };
    }

    private Tensor valueOf(Parameter parameter) {
        use(parameter.unit());
        return parameter.value();
    }

    private void use(ParameterUnit unit) {
        if (unit == inUse) {
            return;
        }
        if (inUse != null) {
            hooks.afterUse(inUse);
        }
        if (unit != null) {
            hooks.beforeUse(unit);
        }
        inUse = unit;
    }
}
