package io.rlhf4j.model;

/**
 * A model that is asked, and how its passes are run.
 *
 * @param model what computes
 * @param passes here, or with all ranks that hold the model together
 */
public record ModelPasses<M extends LayeredModel>(M model, Passes passes) {
    /** A model that is whole here. */
    public static <M extends LayeredModel> ModelPasses<M> here(M model) {
        return new ModelPasses<>(model, Passes.HERE);
    }
}
