package io.rlhf4j.workers.engine;

/**
 * What each rank holds its own part of instead of the whole (Rajbhandari et al. 2020, ZeRO): every stage cuts what the one
 * before it cuts, and one thing more. At equal ranks all stages compute the same bits.
 */
public enum ZeroStage {
    /** Nothing is cut: plain data parallelism. */
    REPLICATED,
    /** Optimizer states, fp32 masters and the moving average. */
    OPTIMIZER,
    /** Gradients too: each unit's are reduced while those of the next are computed. */
    GRADIENTS,
    /** Weights too: a unit is gathered before its use and freed after it. */
    WEIGHTS;

    /** The stage of a number as the paper counts, 0 to 3. */
    public static ZeroStage of(int number) {
        return values()[number];
    }

    boolean cutsStates() {
        return this != REPLICATED;
    }

    boolean cutsGradients() {
        return this == GRADIENTS || this == WEIGHTS;
    }

    boolean cutsWeights() {
        return this == WEIGHTS;
    }
}
