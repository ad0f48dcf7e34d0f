package io.rlhf4j.driver.bench;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;

/**
 * Makes the tensors of kernels, all of one value: no kernel takes a shorter way because of it.
 *
 * @param scope that holds them
 * @param type of weights and activations
 */
record KernelOperands(Scope scope, DType type) {
    private static final float VALUE = 0.1f;

    Backend backend() {
        return scope.backend();
    }

    /** A tensor of {@link #type}. */
    Tensor make(int... shape) {
        return make(type, shape);
    }

    Tensor make(DType other, int... shape) {
        Tensor tensor = scope.allocate(other, shape);
        backend().fill(tensor, VALUE);
        return tensor;
    }

    /** Bytes of tensors, each counted once. */
    static double bytes(Tensor... tensors) {
        return Arrays.stream(tensors)
                .mapToDouble(
                        tensor -> (double) tensor.elements() * tensor.type().bytes())
                .sum();
    }
}
