package io.rlhf4j.autograd;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;

/**
 * The operations of a transformer on the variables of one {@link Tape}, each with its gradient beside it. Shapes are those
 * of {@link Backend}.
 */
public final class Operations {
    private final Tape tape;
    private final Backend backend;

    public Operations(Tape tape) {
        this.tape = tape;
        this.backend = tape.backend();
    }

    /** The tape on which these operations run. */
    public Tape tape() {
        return tape;
    }

    /** Rows of a learned table, counted from its row {@code first} on: [indices, columns]. */
    public Variable embed(Learnable table, int first, int[] indices) {
        Tensor weights = table.value();
        Tensor out = tape.allocate(weights.type(), indices.length, weights.columns());
        backend.gatherRows(weights.slice(first, weights.rows()), indices, out);
        Variable result = tape.result(out, table.learned());
        record(result, List.of(out), () -> {
            Tensor gradient = table.gradient();
            backend.scatterAddRows(result.gradient().tensor(), indices, gradient.slice(first, gradient.rows()));
        });
        return result;
    }

    /** Some rows of {@code x}: [indices, columns]. */
    public Variable rows(Variable x, int[] indices) {
        Tensor out = tape.allocate(x.value().type(), indices.length, x.value().columns());
        backend.gatherRows(x.value(), indices, out);
        Variable result = tape.result(out, x.differentiable());
        record(
                result,
                List.of(out),
                () -> tape.contribute(x, dx -> {
                    backend.fill(dx, 0f);
                    backend.scatterAddRows(result.gradient().tensor(), indices, dx);
                }));
        return result;
    }

    /** {@code x weightᵀ + bias}; bias may be null. */
    public Variable linear(Variable x, Learnable weight, Learnable bias) {
        return addLinear(null, x, weight, bias);
    }

    /** {@code residual + x weightᵀ + bias}; residual and bias may be null. */
    public Variable addLinear(Variable residual, Variable x, Learnable weight, Learnable bias) {
        Tensor out = linearOutput(x, weight);
        backend.linear(
                x.value(), weight.factor(), valueOrNull(bias), null, residual == null ? null : residual.value(), out);
        boolean ofResidual = residual != null && residual.differentiable();
        Variable result = tape.result(out, ofResidual || x.differentiable() || learned(weight) || learned(bias));
        record(result, List.of(out), () -> {
            if (ofResidual) {
                residual.gradient().add(result.gradient());
            }
            Tensor dy = result.gradient().tensor();
            if (x.differentiable()) {
                boolean add = !x.gradient().isEmpty();
                Tensor dx = add ? x.gradient().writable() : x.gradient().first();
                backend.matmul(dy, false, weight.value(), false, dx, add);
            }
            if (learned(weight)) {
                backend.matmul(dy, true, x.value(), false, weight.gradient(), true);
            }
            if (learned(bias)) {
                backend.addColumnSums(dy, bias.gradient());
            }
        });
        return result;
    }

    /** {@code f(x weightᵀ + bias)}; bias may be null. */
    public Variable activatedLinear(Activation f, Variable x, Learnable weight, Learnable bias) {
        if (tape.recording()) {
            // The gradient needs what comes before the activation.
            return activate(f, linear(x, weight, bias));
        }
        Tensor out = linearOutput(x, weight);
        backend.linear(x.value(), weight.factor(), valueOrNull(bias), f, null, out);
        return tape.constant(out);
    }

    private Tensor linearOutput(Variable x, Learnable weight) {
        return tape.allocate(x.value().type(), x.value().rows(), weight.factor().dimension(0));
    }

    private static Tensor valueOrNull(Learnable learnable) {
        return learnable == null ? null : learnable.value();
    }

    /**
     * {@code x + branch}, in the memory of {@code branch}: the operation that made {@code branch} must not need its own
     * output for its gradient, and nothing else may read it.
     */
    public Variable add(Variable x, Variable branch) {
        backend.add(x.value(), branch.value(), branch.value());
        Variable result = tape.result(branch.value(), x.differentiable() || branch.differentiable());
        record(result, List.of(), () -> {
            for (Variable summand : List.of(branch, x)) {
                if (summand.differentiable()) {
                    summand.gradient().add(result.gradient());
                }
            }
        });
        return result;
    }

    /** {@code factor x}, in the memory of {@code x}, under the conditions of {@link #add}. */
    public Variable scale(Variable x, float factor) {
        backend.scale(x.value(), factor);
        return inPlace(x, () -> backend.scale(x.gradient().writable(), factor));
    }

    /** {@code f(x)}. */
    public Variable activate(Activation f, Variable x) {
        Tensor out = tape.allocate(x.value().type(), x.value().shape());
        backend.activate(f, x.value(), out);
        Variable result = tape.result(out, x.differentiable());
        record(
                result,
                List.of(out),
                () -> tape.contribute(
                        x,
                        dx -> backend.activateBackward(
                                f, x.value(), result.gradient().tensor(), dx)));
        return result;
    }

    /** {@code f(gate) * up} of [gate, up] side by side. */
    public Variable activateGated(Activation f, Variable gateUp) {
        Tensor out = tape.allocate(
                gateUp.value().type(), gateUp.value().rows(), gateUp.value().columns() / 2);
        backend.activateGated(f, gateUp.value(), out);
        Variable result = tape.result(out, gateUp.differentiable());
        record(
                result,
                List.of(out),
                () -> tape.contribute(
                        gateUp,
                        dx -> backend.activateGatedBackward(
                                f, gateUp.value(), result.gradient().tensor(), dx)));
        return result;
    }

    /** Layer normalisation of each row. */
    public Variable layerNorm(Variable x, Learnable weight, Learnable bias, float epsilon) {
        Tensor out = tape.allocate(x.value().type(), x.value().shape());
        Tensor statistics = tape.allocate(DType.FP32, x.value().rows(), 2);
        backend.layerNorm(x.value(), weight.value(), bias.value(), epsilon, out, statistics);
        Variable result = tape.result(out, x.differentiable() || learned(weight));
        record(
                result,
                List.of(out, statistics),
                () -> contributeOrDiscard(
                        x,
                        dx -> backend.layerNormBackward(
                                result.gradient().tensor(),
                                x.value(),
                                weight.value(),
                                statistics,
                                dx,
                                weight.gradient(),
                                bias.gradient())));
        return result;
    }

    /** Root-mean-square normalisation of each row. */
    public Variable rmsNorm(Variable x, Learnable weight, float weightOffset, float epsilon) {
        Tensor out = tape.allocate(x.value().type(), x.value().shape());
        Tensor statistics = tape.allocate(DType.FP32, x.value().rows(), 1);
        backend.rmsNorm(x.value(), weight.value(), weightOffset, epsilon, out, statistics);
        Variable result = tape.result(out, x.differentiable() || learned(weight));
        record(
                result,
                List.of(out, statistics),
                () -> contributeOrDiscard(
                        x,
                        dx -> backend.rmsNormBackward(
                                result.gradient().tensor(),
                                x.value(),
                                weight.value(),
                                weightOffset,
                                statistics,
                                dx,
                                weight.gradient())));
        return result;
    }

    /** Root-mean-square normalisation of every head's columns on its own; x may be a column view. */
    public Variable headNorm(Variable x, Learnable weight, float weightOffset, float epsilon) {
        int tokens = x.value().rows();
        int width = x.value().columns();
        int headDim = weight.value().columns();
        int[] heads = {tokens * width / headDim, headDim};
        Tensor packed = tape.allocate(x.value().type(), tokens, width);
        backend.copy(x.value(), packed);
        Tensor out = tape.allocate(x.value().type(), tokens, width);
        Tensor statistics = tape.allocate(DType.FP32, heads[0], 1);
        backend.rmsNorm(packed.reshape(heads), weight.value(), weightOffset, epsilon, out.reshape(heads), statistics);
        Variable result = tape.result(out, x.differentiable() || learned(weight));
        record(
                result,
                List.of(out, packed, statistics),
                () -> contributeOrDiscard(x, dx -> {
                    Tensor packedGradient = tape.allocate(x.value().type(), tokens, width);
                    backend.rmsNormBackward(
                            result.gradient().tensor().reshape(heads),
                            packed.reshape(heads),
                            weight.value(),
                            weightOffset,
                            statistics,
                            packedGradient.reshape(heads),
                            weight.gradient());
                    backend.copy(packedGradient, dx);
                    tape.free(packedGradient);
                }));
        return result;
    }

    /** Columns {@code from} to {@code to} (exclusive) of {@code x}: a view. Backward has to reach every column once. */
    public Variable columns(Variable x, int from, int to) {
        Tensor view = x.value().columns(from, to);
        return new Variable(view, x.differentiable() ? x.gradient().columns(view, from) : null);
    }

    /** Rotary position embedding, in the memory of {@code x}, under the conditions of {@link #add}. */
    public Variable rotate(RotarySpec rotary, Variable x, int[] positions) {
        backend.rotate(rotary, x.value(), positions, false);
        return inPlace(x, () -> backend.rotate(rotary, x.gradient().writable(), positions, true));
    }

    /** Causal attention within each of the sequences that begin at {@code starts}. */
    public Variable attention(AttentionSpec spec, Variable q, Variable k, Variable v, int[] starts) {
        int tokens = q.value().rows();
        Tensor out = tape.allocate(q.value().type(), tokens, q.value().columns());
        Tensor logSumExp = tape.recording() ? tape.allocate(DType.FP32, spec.heads(), tokens) : null;
        backend.attention(spec, q.value(), k.value(), v.value(), starts, out, logSumExp);
        Variable result = tape.result(out, q.differentiable());
        if (logSumExp != null) {
            record(
                    result,
                    List.of(out, logSumExp),
                    () -> backend.attentionBackward(
                            spec,
                            q.value(),
                            k.value(),
                            v.value(),
                            starts,
                            out,
                            logSumExp,
                            result.gradient().tensor(),
                            q.gradient().first(),
                            k.gradient().first(),
                            v.gradient().first()));
        }
        return result;
    }

    private static boolean learned(Learnable learnable) {
        return learnable != null && learnable.learned();
    }

    /** Records an operation with memory of its own; its gradient is dropped once it has been passed on. */
    private void record(Variable result, List<Tensor> freedAfter, Runnable backward) {
        if (result.differentiable()) {
            tape.record(freedAfter, () -> {
                backward.run();
                result.gradient().drop();
            });
        }
    }

    /** An operation that changed x itself: its result is x, whose gradient {@code backward} changes in place likewise. */
    private Variable inPlace(Variable x, Runnable backward) {
        if (x.differentiable()) {
            tape.record(List.of(), backward);
        }
        return x;
    }

    /** {@link Tape#contribute}, or the same into memory that is thrown away: for the sake of the weights' gradients. */
    private void contributeOrDiscard(Variable x, Consumer<Tensor> operation) {
        if (x.differentiable()) {
            tape.contribute(x, operation);
            return;
        }
        Tensor discarded = tape.allocate(x.value().type(), x.value().shape());
        operation.accept(discarded);
        tape.free(discarded);
    }
}
