package io.rlhf4j.driver.scaling;

import java.util.List;

/**
 * The sizes of a model on which time depends.
 *
 * @param name for tables
 * @param parameters of the whole model
 * @param layers blocks, each a unit that ranks exchange as a whole; embedding and end are units beside them
 * @param hidden width of the residual stream
 */
public record Shape(String name, double parameters, int layers, int hidden) {
    /** The shapes of OPT that DeepSpeed-Chat made usual (Zhang et al. 2022, table 1). */
    public static final List<Shape> OPT = List.of(opt("1.3B", 24, 2048), opt("13B", 40, 5120), opt("66B", 64, 9216));

    private static final int VOCABULARY = 50_272;
    private static final int POSITIONS = 2050;

    private static Shape opt(String name, int layers, int hidden) {
        double block = 12.0 * hidden * hidden + 13.0 * hidden;
        double ends = (double) (VOCABULARY + POSITIONS) * hidden + 2.0 * hidden;
        return new Shape(name, layers * block + ends, layers, hidden);
    }

    /** Units that are exchanged one by one. */
    int units() {
        return layers + 2;
    }

    /** Floating-point operations of a forward pass: two for each parameter and token; attention's own are left out. */
    public double forwardFlops(double tokens) {
        return 2 * parameters * tokens;
    }

    /** Bytes of keys and values of one token. */
    double cacheBytes(int elementBytes) {
        return 2.0 * layers * hidden * elementBytes;
    }
}
