package io.rlhf4j.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.backend.cpu.CpuBackend;
import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.AttentionSpec;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.RotarySpec;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Gradients of the tape's operations against finite differences, and what memory it holds. */
class TapeTest {
    private static final int ROWS = 6;
    private static final int WIDTH = 8;
    private static final int[] STARTS = {0, 4, 6};
    private static final int[] POSITIONS = {0, 1, 2, 3, 0, 1};

    private final Backend backend = new CpuBackend(1);
    private final Scope scope = Scope.root(backend, "test");
    private final Random random = new Random(5);
    private final Learned square = learned(WIDTH, WIDTH);
    private final Learned wide = learned(2 * WIDTH, WIDTH);
    private final Learned vector = learned(WIDTH);
    private final Learned head = learned(WIDTH / 2);

    private record Learned(Tensor value, Tensor gradient) implements Learnable {}

    private Learned learned(int... shape) {
        int elements = 1;
        for (int length : shape) {
            elements *= length;
        }
        return new Learned(scope.of(DType.FP32, normals(elements), shape), scope.zeros(DType.FP32, shape));
    }

    private float[] normals(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void linearWithBias() {
        check((f, x) -> f.linear(x, square, vector), square, vector);
    }

    @Test
    void aVariableThatIsUsedTwiceGathersBothGradients() {
        check((f, x) -> f.add(f.add(x, f.linear(x, square, null)), f.linear(x, square, vector)), square);
    }

    @Test
    void normsAndActivations() {
        check((f, x) -> f.layerNorm(x, vector, vector, 1e-5f), new Learned[0]);
        check((f, x) -> f.rmsNorm(x, vector, 1f, 1e-5f), vector);
        check((f, x) -> f.headNorm(x, head, 0f, 1e-5f), head);
        check((f, x) -> f.activate(Activation.GELU, f.linear(x, square, null)), square);
        check((f, x) -> f.activateGated(Activation.SILU, f.linear(x, wide, null)), wide);
    }

    @Test
    void chosenRowsAndScaling() {
        check((f, x) -> f.scale(f.rows(f.linear(x, square, null), new int[] {1, 3, 5}), 0.3f), square);
    }

    @Test
    void rotatedAttentionOverColumnsOfOneProjection() {
        AttentionSpec spec = new AttentionSpec(2, 1, 4, 0.5f, 0, 0f, null);
        Tensor cos = scope.of(DType.FP32, normals(8), 4, 2);
        RotarySpec rotary = new RotarySpec(4, 4, false, cos, scope.of(DType.FP32, normals(8), 4, 2));
        check(
                (f, x) -> {
                    Variable qkv = f.linear(x, wide, null);
                    Variable q = f.rotate(rotary, f.columns(qkv, 0, 8), POSITIONS);
                    Variable k = f.rotate(rotary, f.headNorm(f.columns(qkv, 8, 12), head, 0f, 1e-5f), POSITIONS);
                    return f.attention(spec, q, k, f.columns(qkv, 12, 16), STARTS);
                },
                wide,
                head);
    }

    @Test
    void checkpointsGiveTheSameGradientsBitForBit() {
        float[][] gradients = new float[2][];
        Tensor input = scope.of(DType.FP32, normals(ROWS * WIDTH), ROWS, WIDTH);
        float[] seed = normals(ROWS * WIDTH);
        for (int i = 0; i < gradients.length; i++) {
            boolean again = i > 0;
            backend.fill(square.gradient(), 0f);
            try (Tape tape = new Tape(scope, Tape.Mode.RECORDING)) {
                Operations f = new Operations(tape);
                Variable hidden = tape.input(input);
                for (int layer = 0; layer < 3; layer++) {
                    UnaryOperator<Variable> body =
                            x -> f.add(x, f.activate(Activation.SILU, f.linear(x, square, null)));
                    hidden = again ? tape.checkpoint(hidden, body) : tape.region(hidden, body);
                }
                backward(tape, hidden, seed);
                gradients[i] = square.gradient().toFloats();
            }
        }
        assertThat(gradients[1]).isEqualTo(gradients[0]);
    }

    @Test
    void withoutRecordingARegionKeepsNothingButItsResult() {
        Tensor input = scope.of(DType.FP32, normals(ROWS * WIDTH), ROWS, WIDTH);
        try (Tape tape = new Tape(scope, Tape.Mode.INFERENCE)) {
            Operations f = new Operations(tape);
            long before = scope.bytes();
            Variable result =
                    tape.region(tape.constant(input), x -> f.add(x, f.linear(f.linear(x, square, null), square, null)));
            assertThat(scope.bytes() - before)
                    .isEqualTo(result.value().storage().bytes());
        }
    }

    @Test
    void backwardLeavesNothingButTheGradientOfTheInput() {
        Tensor input = scope.of(DType.FP32, normals(ROWS * WIDTH), ROWS, WIDTH);
        long before = scope.bytes();
        try (Tape tape = new Tape(scope, Tape.Mode.RECORDING)) {
            Operations f = new Operations(tape);
            Variable x = tape.input(input);
            Variable y = f.add(x, f.linear(f.rmsNorm(x, vector, 0f, 1e-5f), square, vector));
            backward(tape, y, normals(ROWS * WIDTH));
            assertThat(scope.bytes() - before)
                    .isEqualTo(tape.gradientOf(x).storage().bytes());
        }
        assertThat(scope.bytes()).isEqualTo(before);
    }

    private void backward(Tape tape, Variable output, float[] seed) {
        Tensor gradient = tape.allocate(DType.FP32, output.value().shape());
        backend.write(gradient, seed, 0);
        tape.backward(output, gradient);
    }

    /** Gradients of the input and of {@code learned} against central differences of a random linear loss. */
    private void check(BiFunction<Operations, Variable, Variable> network, Learned... learned) {
        Tensor input = scope.of(DType.FP32, normals(ROWS * WIDTH), ROWS, WIDTH);
        float[] weights = normals(ROWS * WIDTH * 2);
        for (Learned parameter : learned) {
            backend.fill(parameter.gradient(), 0f);
        }
        float[] ofInput;
        try (Tape tape = new Tape(scope, Tape.Mode.RECORDING)) {
            Variable x = tape.input(input);
            Variable y = network.apply(new Operations(tape), x);
            backward(tape, y, Arrays.copyOf(weights, Math.toIntExact(y.value().elements())));
            ofInput = tape.gradientOf(x).toFloats();
        }
        compare(network, input, weights, input, ofInput);
        for (Learned parameter : learned) {
            compare(
                    network,
                    input,
                    weights,
                    parameter.value(),
                    parameter.gradient().toFloats());
        }
    }

    private void compare(
            BiFunction<Operations, Variable, Variable> network,
            Tensor input,
            float[] weights,
            Tensor changed,
            float[] gradient) {
        float[] values = changed.toFloats();
        for (int i = 0; i < values.length; i++) {
            float centre = values[i];
            float step = 1e-2f;
            values[i] = centre + step;
            backend.write(changed, values, 0);
            double above = loss(network, input, weights);
            values[i] = centre - step;
            backend.write(changed, values, 0);
            double below = loss(network, input, weights);
            values[i] = centre;
            backend.write(changed, values, 0);
            double expected = (above - below) / (2 * step);
            assertThat((double) gradient[i])
                    .as("entry " + i + " of the gradient of " + changed)
                    .isCloseTo(expected, Offset.offset(0.02 * Math.max(1, Math.abs(expected))));
        }
    }

    private double loss(BiFunction<Operations, Variable, Variable> network, Tensor input, float[] weights) {
        try (Tape tape = new Tape(scope, Tape.Mode.INFERENCE)) {
            float[] y = network.apply(new Operations(tape), tape.constant(input))
                    .value()
                    .toFloats();
            double sum = 0;
            for (int i = 0; i < y.length; i++) {
                sum += (double) weights[i] * y[i];
            }
            return sum;
        }
    }
}
