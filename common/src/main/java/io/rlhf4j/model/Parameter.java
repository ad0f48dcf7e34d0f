package io.rlhf4j.model;

import io.rlhf4j.autograd.Learnable;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;

/** A named weight: a view of its {@link ParameterUnit}'s flat tensors. */
public final class Parameter implements Learnable {
    private final String name;
    private final ParameterUnit unit;
    private final int offset;
    private final int[] shape;
    private Tensor packed;

    Parameter(String name, ParameterUnit unit, int offset, int... shape) {
        this.name = name;
        this.unit = unit;
        this.offset = offset;
        this.shape = shape;
    }

    /** Unique within the model, for example {@code blocks.3.attention.qkv.weight}. */
    public String name() {
        return name;
    }

    /** The unit whose flat tensors hold this parameter. */
    public ParameterUnit unit() {
        return unit;
    }

    /** Where the parameter begins in the unit's flat tensors, in elements; a multiple of {@link ParameterUnit#ALIGNMENT}. */
    public int offset() {
        return offset;
    }

    /** A copy of the lengths of all dimensions. */
    public int[] shape() {
        return shape.clone();
    }

    /** The number of elements. */
    public int elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Whether weight decay applies: only to parameters of two or more dimensions. */
    public boolean decayed() {
        return shape.length >= 2;
    }

    @Override
    public Tensor value() {
        return viewOf(unit.values());
    }

    @Override
    public Tensor factor() {
        return packed == null ? value() : packed;
    }

    /** Lays the weight, as it is now, out for products of few rows, in memory of {@code scope}. */
    void pack(Scope scope, DecodingWeights form) {
        packed = switch (form) {
            case PLAIN -> null;
            case PACKED -> scope.backend().packWeight(scope, value());
            case INT8 -> scope.backend().packInt8(scope, value());
        };
    }

    /** The weight is read where it lies again. */
    void unpack() {
        packed = null;
    }

    @Override
    public Tensor gradient() {
        return unit.gradients() == null ? null : viewOf(unit.gradients());
    }

    @Override
    public boolean learned() {
        return unit.isLearned();
    }

    /** This parameter's part of a flat tensor that is laid out like its unit: masters, moments, an average. */
    public Tensor viewOf(Tensor flat) {
        return Tensor.of(flat.backend(), flat.storage(), flat.type(), flat.offset() + offset, shape);
    }

    @Override
    public String toString() {
        return name + Arrays.toString(shape);
    }
}
