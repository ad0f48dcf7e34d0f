package io.rlhf4j.backend.nd4j;

import static io.rlhf4j.backend.nd4j.NdStorage.floats;
import static io.rlhf4j.backend.nd4j.NdStorage.store;

import io.rlhf4j.tensor.Activation;
import io.rlhf4j.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erf;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Activations and their slopes, element by element in fp32, and the gated form of both. */
final class NdActivations {
    private static final double ROOT_2_OVER_PI = Math.sqrt(2 / Math.PI);
    private static final double CUBE_FACTOR = 0.044715;

    private NdActivations() {}

    static INDArray value(Activation f, INDArray x) {
        return switch (f) {
            case RELU -> Transforms.relu(x, true);
            case GELU -> normalCumulative(x).muli(x);
            case GELU_TANH -> tanhOfGelu(x).addi(1).muli(x).muli(0.5);
            case SILU -> Transforms.sigmoid(x, true).muli(x);
        };
    }

    static INDArray slope(Activation f, INDArray x) {
        return switch (f) {
            case RELU -> x.gt(0).castTo(x.dataType());
            case GELU -> normalCumulative(x).addi(normalDensity(x).muli(x));
            case GELU_TANH -> {
                INDArray tanh = tanhOfGelu(x);
                INDArray inner = x.mul(x).muli(3 * CUBE_FACTOR).addi(1).muli(ROOT_2_OVER_PI);
                INDArray sech2 = tanh.mul(tanh).rsubi(1);
                yield sech2.muli(inner).muli(x).addi(tanh).addi(1).muli(0.5);
            }
            case SILU -> {
                INDArray sigmoid = Transforms.sigmoid(x, true);
                yield sigmoid.rsub(1).muli(x).addi(1).muli(sigmoid);
            }
        };
    }

    private static INDArray normalCumulative(INDArray x) {
        return Nd4j.getExecutioner()
                .exec(new Erf(x.mul(Math.sqrt(0.5))))
                .addi(1)
                .muli(0.5);
    }

    private static INDArray normalDensity(INDArray x) {
        return Transforms.exp(x.mul(x).muli(-0.5), false).muli(1 / Math.sqrt(2 * Math.PI));
    }

    private static INDArray tanhOfGelu(INDArray x) {
        INDArray inner = x.mul(x).muli(CUBE_FACTOR).addi(1).muli(x).muli(ROOT_2_OVER_PI);
        return Transforms.tanh(inner, false);
    }

    static void gated(Activation f, Tensor gateUp, Tensor out) {
        int half = out.columns();
        INDArray up = floats(gateUp.columns(half, 2 * half));
        store(value(f, floats(gateUp.columns(0, half))).muli(up), out);
    }

    static void gatedBackward(Activation f, Tensor gateUp, Tensor dy, Tensor dGateUp) {
        int half = dy.columns();
        INDArray gate = floats(gateUp.columns(0, half));
        INDArray up = floats(gateUp.columns(half, 2 * half));
        INDArray gradient = floats(dy);
        INDArray dGate = slope(f, gate).muli(up).muli(gradient);
        INDArray dUp = value(f, gate).muli(gradient);
        store(dGate, dGateUp.columns(0, half));
        store(dUp, dGateUp.columns(half, 2 * half));
    }
}
