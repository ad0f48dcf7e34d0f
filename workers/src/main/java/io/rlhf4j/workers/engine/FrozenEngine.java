package io.rlhf4j.workers.engine;

import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.Passes;
import io.rlhf4j.model.UnitHooks;
import java.util.List;

/**
 * A model that only computes, on all ranks together: a reference, a reward model. It has weights and nothing else, so that
 * stages below {@link ZeroStage#WEIGHTS} cut nothing of it.
 */
public final class FrozenEngine implements Passes, AutoCloseable {
    private final LayeredModel model;
    private final WeightCutting cutting;
    private final WeightTraffic traffic;

    /**
     * An engine for a model whose values are equal on all ranks. It installs its hooks there.
     *
     * @param cutting that the model was loaded through, or a fresh one where its values are whole
     */
    public FrozenEngine(LayeredModel model, WeightCutting cutting) {
        this.model = model;
        this.cutting = cutting;
        this.traffic = new WeightTraffic(model, cutting, new Stopwatch());
        model.setHooks(traffic);
    }

    /** {@inheritDoc} A rank that is through goes on giving the others its part of the weights. */
    @Override
    public void forward(List<Runnable> passes) {
        traffic.forward(passes);
    }

    /** The most bytes that this rank has held at once, beside weights that are whole. */
    public long peakBytes() {
        return cutting.scope().peakBytes();
    }

    /** Frees what is cut; a whole model stays. */
    @Override
    public void close() {
        model.setHooks(UnitHooks.NONE);
        cutting.close();
    }
}
