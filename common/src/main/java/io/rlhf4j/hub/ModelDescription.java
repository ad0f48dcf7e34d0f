package io.rlhf4j.hub;

import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.TransformerConfig;
import java.util.List;

/**
 * What a model directory holds, as far as it can be told without its weights.
 *
 * @param modelType the family
 * @param config the architecture
 * @param scoreModel whether its config.json describes a sequence classifier: a reward model or critic
 * @param weights whether there are weights
 * @param units layout of its parameters, without memory
 */
public record ModelDescription(
        String modelType, TransformerConfig config, boolean scoreModel, boolean weights, List<ParameterUnit> units) {
    /** The number of parameters. */
    public long parameters() {
        return units.stream()
                .flatMap(unit -> unit.parameters().stream())
                .mapToLong(parameter -> parameter.elements())
                .sum();
    }
}
