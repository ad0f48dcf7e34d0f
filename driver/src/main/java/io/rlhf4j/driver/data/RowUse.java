package io.rlhf4j.driver.data;

import io.rlhf4j.config.SourceConfig;
import io.rlhf4j.config.Step;
import java.util.List;

/** Which step a row serves, and whether it is held out: a function of its group, its source and the seed alone. */
final class RowUse {
    /** What follows a step's key in the use of its held-out rows. */
    static final String HELD_OUT = "-heldout";
    /** Unlabelled text beside PPO. */
    static final String PTX = "ptx";

    private final SourceConfig source;
    private final List<Double> split;
    private final long seed;

    RowUse(SourceConfig source, List<Double> split, long seed) {
        this.source = source;
        this.split = split;
        this.seed = seed;
    }

    /** The step. */
    Step step(String group) {
        List<Step> steps = source.steps().isEmpty() ? List.of(Step.values()) : source.steps();
        double total = 0;
        for (Step step : steps) {
            total += proportion(step, steps);
        }
        double place = StableHash.unit("split", source.label(), group, seed) * total;
        for (Step step : steps) {
            place -= proportion(step, steps);
            if (place < 0) {
                return step;
            }
        }
        return steps.get(steps.size() - 1);
    }

    private double proportion(Step step, List<Step> steps) {
        return steps.size() == 1 ? 1 : split.get(step.ordinal());
    }

    /** Whether rows of the group are kept for evaluation. */
    boolean heldOut(String group) {
        return StableHash.unit("held out", source.label(), group, seed) < source.heldOut();
    }
}
