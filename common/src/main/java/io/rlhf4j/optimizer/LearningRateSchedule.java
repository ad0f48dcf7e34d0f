package io.rlhf4j.optimizer;

import io.rlhf4j.config.ScheduleConfig;

/**
 * The learning rate of each optimizer step: a linear rise from 0 over the warm-up, then a shape. The same rates as
 * transformers' schedulers.
 *
 * @param peak the highest rate
 * @param warmupSteps steps of the rise
 * @param totalSteps planned steps, the warm-up among them
 * @param shape of what follows the warm-up
 */
public record LearningRateSchedule(double peak, long warmupSteps, long totalSteps, Shape shape) {
    /** The schedule that a configuration asks for. */
    public static LearningRateSchedule of(ScheduleConfig settings, double peak, long totalSteps) {
        Shape shape =
                switch (settings.kind()) {
                    case COSINE -> new Shape.Cosine(0.5, settings.floor());
                    case LINEAR -> new Shape.Polynomial(1, settings.floor());
                    case CONSTANT -> new Shape.Constant();
                };
        return new LearningRateSchedule(peak, Math.round(settings.warmup() * totalSteps), totalSteps, shape);
    }

    /** The rate of the step with this number, from 0. */
    public double rate(long step) {
        if (step < warmupSteps) {
            return peak * step / Math.max(1, warmupSteps);
        }
        double progress = (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
        return peak * shape.factor(progress, step, warmupSteps);
    }

    /** What follows the warm-up: the share of the peak. */
    public sealed interface Shape {
        /**
         * @param progress 0 at the end of the warm-up, 1 at the last planned step, more beyond
         * @param step number of the step
         * @param warmupSteps steps of the warm-up
         */
        double factor(double progress, long step, long warmupSteps);

        /** No change. */
        record Constant() implements Shape {
            @Override
            public double factor(double progress, long step, long warmupSteps) {
                return 1;
            }
        }

        /** Cosine waves between 1 and a floor; half a wave falls once (Loshchilov and Hutter 2017). */
        record Cosine(double waves, double floor) implements Shape {
            @Override
            public double factor(double progress, long step, long warmupSteps) {
                double wave = 0.5 * (1 + Math.cos(2 * Math.PI * waves * progress));
                return Math.max(0, wave * (1 - floor) + floor);
            }
        }

        /** Falls to 0 along half a cosine wave and starts again, some times over. */
        record CosineRestarts(int cycles) implements Shape {
            @Override
            public double factor(double progress, long step, long warmupSteps) {
                return progress >= 1 ? 0 : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (cycles * progress % 1))));
            }
        }

        /** Falls with a power of what is left, to a floor; power 1 is the straight line. */
        record Polynomial(double power, double floor) implements Shape {
            @Override
            public double factor(double progress, long step, long warmupSteps) {
                return progress >= 1 ? floor : (1 - floor) * Math.pow(1 - progress, power) + floor;
            }
        }

        /** Falls with the root of the step's number. */
        record InverseSquareRoot() implements Shape {
            @Override
            public double factor(double progress, long step, long warmupSteps) {
                return 1 / Math.sqrt((double) step / Math.max(1, warmupSteps));
            }
        }
    }
}
