package io.rlhf4j.hub;

import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.family.HubTensor;
import io.rlhf4j.model.family.ModelFamily;
import io.rlhf4j.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All tensors of a model under the names that its family gives them in files. */
public final class WeightBinding {
    private final ModelFamily family;
    private final Map<String, HubTensor> tensors = new LinkedHashMap<>();

    /** Binds the parameters of {@code units}. */
    public WeightBinding(ModelFamily family, TransformerConfig config, List<ParameterUnit> units) {
        this.family = family;
        units.stream()
                .flatMap(unit -> unit.parameters().stream())
                .flatMap(parameter -> family.weightNames().tensorsOf(parameter, config).stream())
                .forEach(tensor -> tensors.put(tensor.name(), tensor));
    }

    ModelFamily family() {
        return family;
    }

    /** By name, in the order of the forward pass. */
    public Map<String, HubTensor> tensors() {
        return tensors;
    }

    /** One tensor by any of the names that files have for it. */
    public HubTensor tensor(String name) {
        return tensors.values().stream()
                .filter(tensor -> tensor.name().equals(name)
                        || family.weightNames().otherNames(tensor.name()).contains(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no tensor is called " + name));
    }

    /** Values of one tensor as a file holds them. */
    public float[] valuesOf(String name) {
        HubTensor tensor = tensor(name);
        return inFileOrder(tensor, tensor.parameter().value());
    }

    /** Gradient of one tensor in the order in which a file holds its values. */
    public float[] gradientOf(String name) {
        HubTensor tensor = tensor(name);
        return inFileOrder(tensor, tensor.parameter().gradient());
    }

    static float[] inFileOrder(HubTensor tensor, Tensor whole) {
        float[] rows = tensor.rowsOf(whole).toFloats();
        return tensor.inOrder() ? rows : tensor.toFile(rows);
    }
}
