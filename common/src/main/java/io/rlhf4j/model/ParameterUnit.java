package io.rlhf4j.model;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Parameters that are used, communicated and updated together: the embedding, one block, the final norm, the head. They
 * lie in one flat tensor of values and one of gradients, each at a multiple of {@link #ALIGNMENT} elements; the gaps are
 * zeros. The layout is the same for every element type.
 */
public final class ParameterUnit {
    /** Elements to which parameters are aligned: 64 bytes of BF16. */
    public static final int ALIGNMENT = 32;

    private final String name;
    private final List<Parameter> parameters = new ArrayList<>();
    private final List<Initialisation> initialisations = new ArrayList<>();
    private int elements;
    private Tensor values;
    private Tensor gradients;
    private boolean gradientsInTime;

    ParameterUnit(String name) {
        this.name = name;
    }

    /** Adds a parameter called {@code name.suffix}; only before there is memory. */
    Parameter declare(String suffix, Initialisation initialisation, int... shape) {
        Parameter parameter = new Parameter(name + "." + suffix, this, elements, shape);
        parameters.add(parameter);
        initialisations.add(initialisation);
        int padded = Math.multiplyExact(-Math.floorDiv(-parameter.elements(), ALIGNMENT), ALIGNMENT);
        elements = Math.addExact(elements, padded);
        return parameter;
    }

    /** Unique within the model: {@code embedding}, {@code blocks.0}, ..., {@code final}, {@code head}. */
    public String name() {
        return name;
    }

    public List<Parameter> parameters() {
        return Collections.unmodifiableList(parameters);
    }

    /** Length of the flat tensors, gaps included. */
    public int elements() {
        return elements;
    }

    /** All values, flat: [elements]. */
    public Tensor values() {
        if (values == null) {
            throw new IllegalStateException("the values of unit " + name + " are not in memory");
        }
        return values;
    }

    /** All gradients, flat: [elements]; null when the unit is frozen, or while they have no memory. */
    public Tensor gradients() {
        return gradients;
    }

    /** Replaces the flat tensor of values, [elements]; null while they are held elsewhere. */
    public void setValues(Tensor flat) {
        values = requireFit(flat);
    }

    /** Replaces the flat tensor of gradients, [elements]; null to freeze the unit, or to take the memory away. */
    public void setGradients(Tensor flat) {
        gradients = requireFit(flat);
    }

    /** Promises that {@link UnitHooks#beforeGradients} gives gradients memory: the unit is learned also without it. */
    public void setGradientsInTime(boolean promised) {
        gradientsInTime = promised;
    }

    /** Whether the unit has gradients, or will have them when they are added to. */
    public boolean isLearned() {
        return gradients != null || gradientsInTime;
    }

    private Tensor requireFit(Tensor flat) {
        if (flat != null && (flat.dimensions() != 1 || flat.elements() != elements)) {
            throw new IllegalArgumentException("unit %s has %d elements, not %s".formatted(name, elements, flat));
        }
        return flat;
    }

    /** Gives the unit values of zero, held by {@code scope}. */
    public void allocate(Scope scope, DType type) {
        setValues(scope.zeros(type, elements));
    }

    /** Sets every parameter as a new model has it: equal seeds give equal values. */
    void initialise(long seed) {
        for (int i = 0; i < parameters.size(); i++) {
            Parameter parameter = parameters.get(i);
            initialisations.get(i).fill(parameter.value(), seed, parameter.name());
        }
    }

    /** Takes the values of a unit of the same layout, rounded to this unit's type. */
    void copyValues(ParameterUnit source) {
        if (source.values().backend() == values.backend()) {
            values.backend().copy(source.values(), values);
        } else {
            values.backend().write(values, source.values().toFloats(), 0);
        }
    }

    /** Gives the unit gradients of zero, held by {@code scope}. */
    public void allocateGradients(Scope scope, DType type) {
        setGradients(scope.zeros(type, elements));
    }

    /** Sets the gradients to zero. */
    public void clearGradients() {
        gradients.backend().fill(gradients, 0f);
    }

    @Override
    public String toString() {
        return "unit %s: %d elements".formatted(name, elements);
    }
}
