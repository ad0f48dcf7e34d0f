package io.rlhf4j.autograd;

import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Runs operations and remembers them, so that {@link #backward} can take the gradients in reverse order. {@link
 * Operations} has the operations.
 *
 * <p>Memory: an operation's output and what it saved for its gradient are freed right after its backward has run; a
 * gradient is freed once it has been passed on. Without recording, a {@link #region} frees all but its result.
 */
public final class Tape implements AutoCloseable {
    /** What a tape keeps of a forward pass. */
    public enum Mode {
        /** Nothing: there will be no backward pass. */
        INFERENCE,
        /** Every intermediate result that a gradient needs, but for those within a {@link #checkpoint}. */
        RECORDING
    }

    private record Step(Runnable backward, List<Tensor> freedAfter) {}

    private final Backend backend;
    private final Memory memory;
    private final Deque<Step> steps = new ArrayDeque<>();
    private boolean recording;

    /** A tape whose intermediate results are held by a child of {@code work}. */
    public Tape(Scope work, Mode mode) {
        this.backend = work.backend();
        this.memory = new Memory(work.child("tape"));
        this.recording = mode != Mode.INFERENCE;
    }

    public Backend backend() {
        return backend;
    }

    /** Whether operations are being remembered. */
    public boolean recording() {
        return recording;
    }

    /** Memory for an intermediate result, not set; freed with the region, or with the tape. */
    public Tensor allocate(DType type, int... shape) {
        return memory.allocate(type, shape);
    }

    /** Frees a tensor that {@link #allocate} returned. */
    public void free(Tensor tensor) {
        memory.free(tensor);
    }

    /** A tensor through which no gradient flows. */
    public Variable constant(Tensor value) {
        return new Variable(value, null);
    }

    /** A tensor whose gradient {@link #gradientOf} gives after backward. */
    public Variable input(Tensor value) {
        return recording ? new Variable(value, Gradient.of(memory, value)) : constant(value);
    }

    /** The gradient that backward left at an {@link #input}. */
    public Tensor gradientOf(Variable input) {
        return input.gradient().tensor();
    }

    /**
     * Runs a part of a network, usually a block. Without recording, all that it allocates is freed at its end but for its
     * result.
     */
    public Variable region(Variable input, UnaryOperator<Variable> body) {
        return recording ? body.apply(input) : resultOnly(input, body);
    }

    /**
     * A {@link #region} of which recording keeps the input and the result only: backward runs it once more (Chen et al.
     * 2016). Its gradients have the same bits.
     */
    public Variable checkpoint(Variable input, UnaryOperator<Variable> body) {
        if (!recording) {
            return resultOnly(input, body);
        }
        recording = false;
        Tensor value = resultOnly(input, body).value();
        recording = true;
        Variable output = new Variable(value, Gradient.of(memory, value));
        record(List.of(value), () -> {
            int before = steps.size();
            Variable again = body.apply(input);
            if (again.differentiable()) {
                again.gradient().add(output.gradient());
            }
            output.gradient().drop();
            backwardTo(before);
        });
        return output;
    }

    private Variable resultOnly(Variable input, UnaryOperator<Variable> body) {
        int mark = memory.mark();
        Variable result = body.apply(input);
        memory.freeSince(mark, result.value().storage());
        return result;
    }

    /** Frees a result that nothing will read again, unless backward will. */
    public void discard(Variable result) {
        if (!recording) {
            memory.free(result.value());
        }
    }

    /** Has {@code action} run when backward comes past this point. */
    public void onBackward(Runnable action) {
        if (recording) {
            record(List.of(), action);
        }
    }

    /**
     * Adds the gradients of all that is learned, given that of {@code output}. Runs once; the recorded operations are gone
     * afterwards.
     *
     * @param gradient d loss / d output, made by {@link #allocate}; the tape takes it over
     */
    public void backward(Variable output, Tensor gradient) {
        if (!output.differentiable()) {
            throw new IllegalStateException("nothing that is learned lies before this output, or nothing was recorded");
        }
        output.gradient().take(gradient);
        backwardTo(0);
    }

    private void backwardTo(int size) {
        while (steps.size() > size) {
            Step step = steps.pop();
            step.backward().run();
            step.freedAfter().forEach(memory::free);
        }
    }

    /** Frees everything that the tape still holds. */
    @Override
    public void close() {
        steps.clear();
        memory.close();
    }

    // ---- for Operations

    /** Remembers how to take an operation's gradient, and what to free afterwards. */
    void record(List<Tensor> freedAfter, Runnable backward) {
        steps.push(new Step(backward, freedAfter));
    }

    /** The result of an operation in memory of its own. */
    Variable result(Tensor value, boolean differentiable) {
        return new Variable(value, recording && differentiable ? Gradient.of(memory, value) : null);
    }

    /** Passes a gradient on: {@code operation} sets the tensor it is given to its contribution. */
    void contribute(Variable to, Consumer<Tensor> operation) {
        if (!to.differentiable()) {
            return;
        }
        if (to.gradient().isEmpty()) {
            operation.accept(to.gradient().first());
            return;
        }
        Tensor contribution = memory.like(to.value());
        operation.accept(contribution);
        Tensor sum = to.gradient().writable();
        backend.add(contribution, sum, sum);
        memory.free(contribution);
    }
}
