package io.rlhf4j.hub;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.FloatSource;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.format.SafetensorsWriter;
import io.rlhf4j.format.TensorInfo;
import io.rlhf4j.format.TensorShards;
import io.rlhf4j.format.WrittenFile;
import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.Parameter;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.UnitHooks;
import io.rlhf4j.model.family.HubTensor;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Writes a model's parameters as safetensors, under the names and in the layout of its family. A unit is in use while its
 * tensors are written: where it is cut among ranks, it is gathered for no longer than that. Every unit is used once, in
 * order, by whoever writes any of them. An instance writes once.
 */
final class WeightWriter {
    /** What transformers takes for a shard. */
    private static final long SHARD_BYTES = 5_000_000_000L;

    /** transformers refuses files that do not say which framework's conventions they follow. */
    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private final SafetensorsWriter writer;
    private final UnitHooks hooks;
    private final List<ParameterUnit> units;
    private final List<List<NamedTensor>> tensors = new ArrayList<>();
    private int group = 1;
    private int used;
    private ParameterUnit inUse;

    WeightWriter(Configuration configuration, LayeredModel model, WeightBinding binding, ElementType type) {
        this.writer = new SafetensorsWriter(configuration);
        this.hooks = model.hooks();
        this.units = model.units();
        units.forEach(unit -> tensors.add(new ArrayList<>()));
        binding.tensors().values().forEach(tensor -> tensors.get(
                        units.indexOf(tensor.parameter().unit()))
                .add(new NamedTensor(new TensorInfo(tensor.name(), type, tensor.shape()), valuesOf(tensor))));
    }

    /** Writes all of it. */
    void write(Path directory) throws IOException {
        List<NamedTensor> all = tensors.stream().flatMap(List::stream).toList();
        writer.writeModel(directory, TensorShards.ofAtMost(SHARD_BYTES, all), METADATA);
        useOthersUpTo(units.size());
    }

    /**
     * Writes a share of it. All writers come to as many units, one share each, before any goes on: each keeps its own of
     * them, and they write at the same time.
     */
    List<WrittenFile> write(Path directory, ModelShare share) throws IOException {
        group = Math.min(share.count(), units.size());
        List<List<NamedTensor>> files = new ArrayList<>();
        for (int file = 0; file < group; file++) {
            files.add(new ArrayList<>());
        }
        for (int unit = 0; unit < units.size(); unit++) {
            files.get(unit % group).addAll(tensors.get(unit));
        }
        TensorShards shards = new TensorShards(files);
        List<WrittenFile> written = new ArrayList<>();
        if (share.index() < group) {
            written.add(writer.writeShard(directory, shards, share.index(), METADATA));
        }
        useOthersUpTo(units.size());
        if (share.index() == 0) {
            writer.writeIndex(directory, shards).ifPresent(written::add);
        }
        return written;
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
        ParameterUnit unit = parameter.unit();
        if (unit != inUse) {
            int index = units.indexOf(unit);
            useOthersUpTo(index);
            hooks.beforeUse(unit);
            inUse = unit;
            used = index + 1;
            useUpTo(Math.min(units.size(), (index / group + 1) * group));
        }
        return parameter.value();
    }

    /** Nothing more is written of the unit at hand. */
    private void useOthersUpTo(int end) {
        if (inUse != null) {
            hooks.afterUse(inUse);
            inUse = null;
        }
        useUpTo(end);
    }

    /** Takes part in the use of units that others write. */
    private void useUpTo(int end) {
        for (; used < end; used++) {
            hooks.beforeUse(units.get(used));
            hooks.afterUse(units.get(used));
        }
    }
}
