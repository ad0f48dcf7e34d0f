package io.rlhf4j.config;

import java.util.List;

/** An optimizer, its learning rate and its limits. */
public record OptimizerConfig(
        @Doc(
                        value = "`adamw`, or one of ND4J's updaters: `adam`, `amsgrad`, `adabelief`, `nadam`, `adamax`,"
                                + " `adagrad`, `adadelta`, `rmsprop`, `nesterovs`, `sgd`.",
                        preset = "adamw")
                String kind,
        @Doc(value = "Highest learning rate.", preset = "1.0e-5", range = "[0, inf)") double learningRate,
        @Doc(value = "Decay of the mean of gradients.", preset = "0.9", range = "[0, 1)") double beta1,
        @Doc(value = "Decay of the mean of squared gradients.", preset = "0.95", range = "[0, 1)") double beta2,
        @Doc(value = "Added to the root of the squared mean.", preset = "1.0e-8", range = "(0, inf)") double epsilon,
        @Doc(value = "Decoupled weight decay of tensors of two and more dimensions.", preset = "0", range = "[0, inf)")
                double weightDecay,
        @Doc(
                        value = "Largest norm of the gradient of the whole model; 0 clips nothing.",
                        preset = "1.0",
                        range = "[0, inf)")
                double clipNorm,
        @Doc(
                        value = "Steps with a loss or gradient that is not finite are skipped; this many stop the run.",
                        preset = "10",
                        range = "[0, inf)")
                int maxSkippedSteps,
        @Doc("How the learning rate changes over the planned steps.") ScheduleConfig schedule)
        implements Checked {
    /** The values of {@link #kind}. */
    public static final List<String> KINDS = List.of(
            "adamw",
            "adam",
            "amsgrad",
            "adabelief",
            "nadam",
            "adamax",
            "adagrad",
            "adadelta",
            "rmsprop",
            "nesterovs",
            "sgd");

    @Override
    public List<Finding> findings() {
        return KINDS.contains(kind)
                ? List.of()
                : List.of(new Finding("kind", "is '%s', allowed is %s".formatted(kind, String.join(" | ", KINDS))));
    }
}
