package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Activation;

/** Sums, scaling and activations. */
final class Pointwise {
    private static final String FILE = "pointwise";
    private static final int NO_ACTIVATION = -1;

    private final Kernels kernels;
    private final Stream stream;

    Pointwise(Workbench bench) {
        this.kernels = bench.kernels();
        this.stream = bench.stream();
    }

    private void launch(String kernel, long rows, long columns) {
        stream.launch(kernels.get(FILE, kernel), Kernel.blocksOfParts(rows, columns), Kernel.THREADS);
    }

    void add(Matrix a, Matrix b, Matrix out) {
        stream.pass(a.address())
                .pass(b.address())
                .pass(out.address())
                .pass(out.elements())
                .pass(Matrix.flags(a, b, out));
        launch("addTensors", 1, out.elements());
    }

    void addScaled(float factor, Matrix x, Matrix y) {
        stream.pass(factor)
                .pass(x.address())
                .pass(y.address())
                .pass(x.elements())
                .pass(Matrix.flags(x, y));
        launch("addScaled", 1, x.elements());
    }

    void scale(Matrix x, float factor) {
        stream.pass(x.address()).pass(factor).pass(x.elements()).pass(Matrix.flags(x));
        launch("scaleTensor", 1, x.elements());
    }

    /** Adds a vector to every row. */
    void addBias(Matrix bias, Matrix x) {
        stream.pass(bias.address())
                .pass(x.address())
                .pass(x.stride())
                .pass((long) x.rows())
                .pass((long) x.columns())
                .pass(NO_ACTIVATION)
                .pass(Matrix.flags(bias, x));
        launch("addBias", x.rows(), x.columns());
    }

    void activate(Activation f, Matrix x, Matrix out) {
        stream.pass(f.ordinal())
                .pass(x.address())
                .pass(out.address())
                .pass(x.elements())
                .pass(Matrix.flags(x, out));
        launch("activate", 1, x.elements());
    }

    void activateBackward(Activation f, Matrix x, Matrix dy, Matrix dx) {
        stream.pass(f.ordinal())
                .pass(x.address())
                .pass(dy.address())
                .pass(dx.address())
                .pass(x.elements())
                .pass(Matrix.flags(x, dy, dx));
        launch("activateBackward", 1, x.elements());
    }

    void activateGated(Activation f, Matrix gateUp, Matrix out) {
        stream.pass(f.ordinal())
                .pass(gateUp.address())
                .pass(gateUp.stride())
                .pass(out.address())
                .pass(out.stride())
                .pass((long) out.rows())
                .pass((long) out.columns())
                .pass(gatedFlags(out.columns(), gateUp, out));
        launch("activateGated", out.rows(), out.columns());
    }

    void activateGatedBackward(Activation f, Matrix gateUp, Matrix dy, Matrix dGateUp) {
        stream.pass(f.ordinal())
                .pass(gateUp.address())
                .pass(gateUp.stride())
                .pass(dy.address())
                .pass(dy.stride())
                .pass(dGateUp.address())
                .pass((long) dy.rows())
                .pass((long) dy.columns())
                .pass(gatedFlags(dy.columns(), gateUp, dy, dGateUp));
        launch("activateGatedBackward", dy.rows(), dy.columns());
    }

    /** The second half of a row has to begin at a wide place too. */
    private static int gatedFlags(int columns, Matrix gateUp, Matrix... others) {
        Matrix[] all = new Matrix[others.length + 1];
        all[0] = gateUp;
        System.arraycopy(others, 0, all, 1, others.length);
        int flags = Matrix.flags(all);
        return columns % 8 == 0 ? flags : flags & ~Matrix.WIDE_FLAG;
    }
}
