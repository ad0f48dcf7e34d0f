package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.DType;

/** What the optimizer asks of the backend: one pass over flat tensors. */
final class Optimizer {
    private static final String FILE = "optimizer";
    private static final int MOST_PARTIALS = 1024;

    private final Workbench bench;

    Optimizer(Workbench bench) {
        this.bench = bench;
    }

    double sumOfSquares(Matrix x) {
        int blocks = (int) Math.min(MOST_PARTIALS, Math.max(1, Kernel.blocksOfParts(1, x.elements())));
        try (DeviceMemory partials = bench.memories().allocate((long) Double.BYTES * (blocks + 1))) {
            bench.stream()
                    .pass(x.address())
                    .pass(x.elements())
                    .pass(partials.address())
                    .pass(Matrix.flags(x))
                    .launch(bench.kernels().get(FILE, "squarePartials"), blocks, Kernel.THREADS);
            long total = partials.address() + (long) Double.BYTES * blocks;
            bench.stream()
                    .pass(partials.address())
                    .pass(blocks)
                    .pass(total)
                    .launch(bench.kernels().get(FILE, "sumPartials"), 1, Kernel.THREADS);
            return bench.staging().receiveDouble(total);
        }
    }

    void adamW(AdamWSettings s, Matrix parameter, Matrix gradient, Matrix moment1, Matrix moment2) {
        requireFp32(parameter);
        requireFp32(moment1);
        requireFp32(moment2);
        double correction1 = 1 - StrictMath.pow(s.beta1(), s.step());
        double correction2 = 1 - StrictMath.pow(s.beta2(), s.step());
        bench.stream()
                .pass(parameter.address())
                .pass(gradient.address())
                .pass(moment1.address())
                .pass(moment2.address())
                .pass(parameter.elements())
                .pass((float) (1 - s.learningRate() * s.weightDecay()))
                .pass((float) (1 - s.beta1()))
                .pass((float) s.beta2())
                .pass((float) (1 - s.beta2()))
                .pass((float) (1 / Math.sqrt(correction2)))
                .pass((float) s.epsilon())
                .pass((float) (-s.learningRate() / correction1))
                .pass((float) s.gradientScale())
                .pass(Matrix.flags(parameter, gradient, moment1, moment2))
                .launch(
                        bench.kernels().get(FILE, "adamW"),
                        Kernel.blocksOfParts(1, parameter.elements()),
                        Kernel.THREADS);
    }

    private static void requireFp32(Matrix matrix) {
        if (matrix.type() != DType.FP32) {
            throw new IllegalArgumentException("masters and moments are FP32, given " + matrix);
        }
    }
}
