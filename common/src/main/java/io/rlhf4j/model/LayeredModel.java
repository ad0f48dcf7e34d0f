package io.rlhf4j.model;

import java.util.List;

/** A model as those see it who hold its units: what there is, when it is used, and where to step in. */
public sealed interface LayeredModel permits CausalLanguageModel, ScoreModel {
    /** Its architecture: of a score model that of the backbone. */
    TransformerConfig config();

    /** Where it came from, for saving it again. */
    ModelSource source();

    /** All units, each once, in the order in which the forward pass first comes to them. */
    List<ParameterUnit> units();

    /**
     * Which units are read together, in the order of the forward pass; the head, last, may read the embedding again. The
     * backward pass goes the same way back, and the gradients of a unit are complete at its first use.
     */
    List<List<ParameterUnit>> uses();

    /** What happens around the use of each unit. Whoever reads values outside of a pass calls it too, unit by unit. */
    UnitHooks hooks();

    /** Installs what happens around the use of each unit. */
    void setHooks(UnitHooks hooks);

    /** Sets what training passes keep of their forward pass. */
    void setCheckpointing(ActivationCheckpointing checkpointing);
}
