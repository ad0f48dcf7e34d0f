package io.rlhf4j.autograd;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Storage;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The intermediate results of one tape, and the regions at whose end all but one of them are freed. */
final class Memory {
    private final Scope scope;
    private final List<Tensor> held = new ArrayList<>();

    Memory(Scope scope) {
        this.scope = scope;
    }

    Tensor allocate(DType type, int... shape) {
        Tensor tensor = scope.allocate(type, shape);
        held.add(tensor);
        return tensor;
    }

    Tensor like(Tensor tensor) {
        return allocate(tensor.type(), tensor.shape());
    }

    /** Frees a tensor that {@link #allocate} returned. */
    void free(Tensor tensor) {
        for (int i = held.size() - 1; i >= 0; i--) {
            if (held.get(i).storage() == tensor.storage()) {
                held.remove(i);
                scope.free(tensor);
                return;
            }
        }
        throw new IllegalStateException(tensor + " is not held");
    }

    /** A place in time, for {@link #freeSince}. */
    int mark() {
        return held.size();
    }

    /** Frees what was allocated since {@code mark}, but not {@code kept}. */
    void freeSince(int mark, Storage kept) {
        for (int i = held.size() - 1; i >= mark; i--) {
            Tensor tensor = held.get(i);
            if (tensor.storage() != kept) {
                held.remove(i);
                scope.free(tensor);
            }
        }
    }

    void close() {
        scope.close();
    }
}
