package io.rlhf4j.optimizer;

import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.AdaBeliefUpdater;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaBelief;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Any of ND4J's updaters, with decoupled weight decay before it. Values pass through the host, so it is slower than {@link
 * AdamW}; it is there for the choice.
 */
public final class Nd4jOptimizer implements Optimizer {
    private final OptimizerConfig settings;
    private final int states;

    public Nd4jOptimizer(OptimizerConfig settings) {
        this.settings = settings;
        this.states = (int) updater(1).stateSize(1);
    }

    private IUpdater updater(double learningRate) {
        double beta1 = settings.beta1();
        double beta2 = settings.beta2();
        double epsilon = settings.epsilon();
        return switch (settings.kind().toLowerCase(Locale.ROOT)) {
            case "adam" -> new Adam(learningRate, beta1, beta2, epsilon);
            case "amsgrad" -> new AMSGrad(learningRate, beta1, beta2, epsilon);
            case "adabelief" -> new AdaBelief(learningRate, beta1, beta2, epsilon);
            case "nadam" -> new Nadam(learningRate, beta1, beta2, epsilon);
            case "adamax" -> new AdaMax(learningRate, beta1, beta2, epsilon);
            case "adagrad" -> new AdaGrad(learningRate, epsilon);
            case "adadelta" -> new AdaDelta(beta2, epsilon);
            case "rmsprop" -> new RmsProp(learningRate, beta2, epsilon);
            case "nesterovs" -> new Nesterovs(learningRate, beta1);
            case "sgd" -> new Sgd(learningRate);
            default ->
                throw Rlhf4jException.configuration("optimizer.kind '%s' is none of %s"
                        .formatted(settings.kind(), String.join(", ", OptimizerConfig.KINDS)));
        };
    }

    @Override
    public List<String> stateNames() {
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= states; i++) {
            names.add("state" + i);
        }
        return names;
    }

    @Override
    public void step(
            long step,
            double learningRate,
            double gradientScale,
            boolean decayed,
            Tensor parameter,
            Tensor gradient,
            List<Tensor> state) {
        int length = Math.toIntExact(parameter.elements());
        float[] values = parameter.toFloats();
        try (INDArray update = Nd4j.create(scaled(gradient, gradientScale), new long[] {1, length}, DataType.FLOAT);
                INDArray view = states == 0
                        ? null
                        : Nd4j.create(joined(state, length), new long[] {1, (long) states * length}, DataType.FLOAT)) {
            instantiate(updater(learningRate), view, length).applyUpdater(update, Math.toIntExact(step - 1), 0);
            float[] change = update.toFloatVector();
            float kept = (float) (1 - learningRate * (decayed ? settings.weightDecay() : 0));
            for (int i = 0; i < length; i++) {
                values[i] = values[i] * kept - change[i];
            }
            float[] newState = states == 0 ? new float[0] : view.toFloatVector();
            for (int i = 0; i < states; i++) {
                Tensor part = state.get(i);
                part.backend().write(part, newState, i * length);
            }
        }
        parameter.backend().write(parameter, values, 0);
    }

    /** AdaBelief cannot take its state as one flat view (ND4J cuts a shape of one dimension in two), so it gets its parts. */
    private static GradientUpdater<?> instantiate(IUpdater updater, INDArray view, int length) {
        if (updater instanceof AdaBelief) {
            INDArray mean = view.get(NDArrayIndex.all(), NDArrayIndex.interval(0, length));
            INDArray deviation = view.get(NDArrayIndex.all(), NDArrayIndex.interval(length, 2L * length));
            return updater.instantiate(
                    Map.of(AdaBeliefUpdater.M_STATE, mean, AdaBeliefUpdater.S_STATE, deviation), false);
        }
        return updater.instantiate(view, false);
    }

    private static float[] scaled(Tensor gradient, double scale) {
        float[] values = gradient.toFloats();
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (values[i] * scale);
        }
        return values;
    }

    private static float[] joined(List<Tensor> state, int length) {
        float[] all = new float[state.size() * length];
        for (int i = 0; i < state.size(); i++) {
            state.get(i).backend().read(state.get(i), all, i * length);
        }
        return all;
    }
}
