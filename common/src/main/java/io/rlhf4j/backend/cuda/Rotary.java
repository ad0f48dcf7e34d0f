package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.RotarySpec;

/** Rotary positions. */
final class Rotary {
    private final Workbench bench;

    Rotary(Workbench bench) {
        this.bench = bench;
    }

    void rotate(RotarySpec rotary, Matrix x, int[] positions, boolean inverse) {
        int heads = x.columns() / rotary.headDim();
        int half = rotary.rotaryDims() / 2;
        bench.stream()
                .pass(x.address())
                .pass(x.stride())
                .pass(bench.uploads().send(positions))
                .pass(Matrix.of(rotary.cos()).address())
                .pass(Matrix.of(rotary.sin()).address())
                .pass((long) x.rows())
                .pass(heads)
                .pass(rotary.headDim())
                .pass(half)
                .pass(rotary.interleaved() ? 1 : 0)
                .pass(inverse ? -1f : 1f)
                .pass(Matrix.flags(x))
                .launch(
                        bench.kernels().get("rotary", "rotate"),
                        Kernel.blocks((long) x.rows() * heads * half),
                        Kernel.THREADS);
    }
}
