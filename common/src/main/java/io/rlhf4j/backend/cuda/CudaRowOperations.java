package io.rlhf4j.backend.cuda;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Operands;
import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Storage;
import io.rlhf4j.tensor.Tensor;

/** Memory, and the operations that go over it row by row: what a GPU does at the rate of its memory. */
abstract class CudaRowOperations implements Backend {
    final Workbench bench;
    final Transfers transfers;
    final Pointwise pointwise;
    private final Norms norms;
    private final Rotary rotary;

    CudaRowOperations(Workbench bench) {
        this.bench = bench;
        transfers = new Transfers(bench);
        pointwise = new Pointwise(bench);
        norms = new Norms(bench, transfers);
        rotary = new Rotary(bench);
    }

    /** An operand. With its first an operation begins. */
    final Matrix of(Tensor tensor) {
        bench.stream().enter();
        return Matrix.of(tensor);
    }

    static Matrix orNull(Tensor tensor) {
        return Matrix.ofNullable(tensor);
    }

    @Override
    public synchronized Storage allocate(DType type, long elements) {
        return bench.memories().allocate(type.bytes() * elements);
    }

    @Override
    public synchronized void write(Tensor target, float[] source, int from) {
        transfers.write(of(target), source, from);
    }

    @Override
    public synchronized void read(Tensor source, float[] target, int from) {
        transfers.read(of(source), target, from);
    }

    @Override
    public synchronized void fill(Tensor target, float value) {
        transfers.fill(of(target), value);
    }

    @Override
    public synchronized void copy(Tensor source, Tensor target) {
        Operands.copy(source, target);
        transfers.copy(of(source), of(target));
    }

    @Override
    public synchronized void addColumnSums(Tensor x, Tensor sums) {
        Operands.addColumnSums(x, sums);
        transfers.addColumnSums(of(x), of(sums));
    }

    @Override
    public synchronized void add(Tensor a, Tensor b, Tensor out) {
        Operands.pointwise("add", a, b, out);
        pointwise.add(of(a), of(b), of(out));
    }

    @Override
    public synchronized void addScaled(float factor, Tensor x, Tensor y) {
        Operands.pointwise("addScaled", x, y);
        pointwise.addScaled(factor, of(x), of(y));
    }

    @Override
    public synchronized void scale(Tensor x, float factor) {
        Operands.pointwise("scale", x);
        pointwise.scale(of(x), factor);
    }

    @Override
    public synchronized void activate(Activation f, Tensor x, Tensor out) {
        Operands.pointwise("activate", x, out);
        pointwise.activate(f, of(x), of(out));
    }

    @Override
    public synchronized void activateBackward(Activation f, Tensor x, Tensor dy, Tensor dx) {
        Operands.pointwise("activateBackward", x, dy, dx);
        pointwise.activateBackward(f, of(x), of(dy), of(dx));
    }

    @Override
    public synchronized void activateGated(Activation f, Tensor gateUp, Tensor out) {
        Operands.gated("activateGated", gateUp, out);
        pointwise.activateGated(f, of(gateUp), of(out));
    }

    @Override
    public synchronized void activateGatedBackward(Activation f, Tensor gateUp, Tensor dy, Tensor dGateUp) {
        Operands.gated("activateGatedBackward", gateUp, dy);
        Operands.pointwise("activateGatedBackward", gateUp, dGateUp);
        pointwise.activateGatedBackward(f, of(gateUp), of(dy), of(dGateUp));
    }

    @Override
    public synchronized void layerNorm(
            Tensor x, Tensor weight, Tensor bias, float epsilon, Tensor out, Tensor statistics) {
        Operands.norm("layerNorm", x, weight, bias, out, statistics, 2);
        norms.forward(true, of(x), of(weight), orNull(bias), 0f, epsilon, of(out), of(statistics));
    }

    @Override
    public synchronized void layerNormBackward(
            Tensor dy, Tensor x, Tensor weight, Tensor statistics, Tensor dx, Tensor dWeight, Tensor dBias) {
        Operands.norm("layerNormBackward", x, weight, null, dx, statistics, 2);
        Operands.pointwise("layerNormBackward", x, dy);
        Operands.gradient("layerNormBackward", weight, dWeight);
        Operands.gradient("layerNormBackward", weight, dBias);
        norms.backward(true, of(dy), of(x), of(weight), 0f, of(statistics), of(dx), orNull(dWeight), orNull(dBias));
    }

    @Override
    public synchronized void rmsNorm(
            Tensor x, Tensor weight, float weightOffset, float epsilon, Tensor out, Tensor statistics) {
        Operands.norm("rmsNorm", x, weight, null, out, statistics, 1);
        norms.forward(false, of(x), of(weight), null, weightOffset, epsilon, of(out), of(statistics));
    }

    @Override
    public synchronized void rmsNormBackward(
            Tensor dy, Tensor x, Tensor weight, float weightOffset, Tensor statistics, Tensor dx, Tensor dWeight) {
        Operands.norm("rmsNormBackward", x, weight, null, dx, statistics, 1);
        Operands.pointwise("rmsNormBackward", x, dy);
        Operands.gradient("rmsNormBackward", weight, dWeight);
        norms.backward(false, of(dy), of(x), of(weight), weightOffset, of(statistics), of(dx), orNull(dWeight), null);
    }

    @Override
    public synchronized void gatherRows(Tensor table, int[] indices, Tensor out) {
        Operands.rows("gatherRows", table, indices, out);
        transfers.gather(of(table), indices, of(out));
    }

    @Override
    public synchronized void putRows(Tensor rows, int[] indices, Tensor table) {
        Operands.rows("putRows", table, indices, rows);
        transfers.put(of(rows), indices, of(table));
    }

    @Override
    public synchronized void scatterAddRows(Tensor rows, int[] indices, Tensor table) {
        Operands.rows("scatterAddRows", table, indices, rows);
        transfers.scatterAdd(of(rows), indices, of(table));
    }

    @Override
    public synchronized void rotate(RotarySpec rotarySpec, Tensor x, int[] positions, boolean inverse) {
        Operands.rotate(rotarySpec, x, positions);
        rotary.rotate(rotarySpec, of(x), positions, inverse);
    }
}
