package io.rlhf4j.golden;

import com.fasterxml.jackson.databind.JsonNode;
import io.rlhf4j.config.ConfigFile;
import io.rlhf4j.config.OptimizerConfig;
import io.rlhf4j.optimizer.Ema;
import io.rlhf4j.optimizer.GradientClipping;
import io.rlhf4j.optimizer.LearningRateSchedule;
import io.rlhf4j.optimizer.LearningRateSchedule.Shape;
import io.rlhf4j.optimizer.Optimizer;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Fixtures of {@code io.rlhf4j.optimizer}. */
final class OptimizerAlgorithms {
    private OptimizerAlgorithms() {}

    static Map<String, Object> adamW(Fixture fixture, Scope work) {
        double[] betas = fixture.row("betas");
        Optimizer optimizer = Optimizer.of(ConfigFile.parse(
                OptimizerConfig.class,
                "{kind: adamw, beta1: %s, beta2: %s, epsilon: %s, weight_decay: %s}"
                        .formatted(betas[0], betas[1], fixture.number("eps"), fixture.number("wd"))));
        Tensor weights = tensor(work, fixture.row("w0"));
        List<Tensor> state = new ArrayList<>();
        optimizer.stateNames().forEach(name -> state.add(work.zeros(DType.FP32, (int) weights.elements())));
        List<float[]> moved = new ArrayList<>();
        List<float[]> first = new ArrayList<>();
        List<float[]> second = new ArrayList<>();
        for (double[] gradient : fixture.rows("grads")) {
            optimizer.step(moved.size() + 1, fixture.number("lr"), 1, true, weights, tensor(work, gradient), state);
            moved.add(weights.toFloats());
            first.add(state.get(0).toFloats());
            second.add(state.get(1).toFloats());
        }
        return Map.of("w", moved, "exp_avg", first, "exp_avg_sq", second);
    }

    static Map<String, Object> movingAverage(Fixture fixture, Scope work) {
        Ema ema = new Ema(fixture.number("beta"));
        Tensor average = tensor(work, fixture.row("w0"));
        List<float[]> averages = new ArrayList<>();
        for (double[] weights : fixture.rows("w")) {
            ema.update(average, tensor(work, weights));
            averages.add(average.toFloats());
        }
        return Map.of("ema", averages);
    }

    static Map<String, Object> gradientClipping(Fixture fixture, Scope work) {
        List<Tensor> gradients = new ArrayList<>();
        for (JsonNode each : fixture.get("grads")) {
            gradients.add(tensor(work, flat(each)));
        }
        double squares = 0;
        for (Tensor gradient : gradients) {
            squares += work.backend().sumOfSquares(gradient);
        }
        double norm = Math.sqrt(squares);
        double factor = new GradientClipping(fixture.number("max_norm")).factor(norm);
        List<Object> clipped = new ArrayList<>();
        for (int i = 0; i < gradients.size(); i++) {
            work.backend().scale(gradients.get(i), (float) factor);
            JsonNode shape = fixture.get("grads").get(i);
            clipped.add(shaped(gradients.get(i).toFloats(), shape));
        }
        return Map.of("global_norm", norm, "clipped", clipped);
    }

    static Map<String, Object> schedule(Fixture fixture) {
        double peak = fixture.number("lr");
        String type = fixture.get("type").textValue();
        Shape shape =
                switch (type) {
                    case "linear" -> new Shape.Polynomial(1, 0);
                    case "polynomial" ->
                        new Shape.Polynomial(fixture.number("power", 1), fixture.number("lr_end", 1e-7) / peak);
                    case "cosine" -> new Shape.Cosine(0.5, 0);
                    case "cosine_with_min_lr" -> new Shape.Cosine(0.5, fixture.number("min_lr_rate"));
                    case "cosine_with_restarts" -> new Shape.CosineRestarts((int) fixture.number("num_cycles", 1));
                    case "constant", "constant_with_warmup" -> new Shape.Constant();
                    case "inverse_sqrt" -> new Shape.InverseSquareRoot();
                    default -> throw new IllegalArgumentException("no schedule of the product is " + type);
                };
        int warmup = type.equals("constant") ? 0 : fixture.integer("warmup");
        LearningRateSchedule schedule = new LearningRateSchedule(peak, warmup, fixture.integer("total_steps"), shape);
        // Three steps past the end are part of the fixtures.
        double[] rates = new double[fixture.integer("total_steps") + 3];
        for (int step = 0; step < rates.length; step++) {
            rates[step] = schedule.rate(step);
        }
        return Map.of("lr_used_by_step", rates);
    }

    static Tensor tensor(Scope work, double... values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            narrow[i] = (float) values[i];
        }
        return work.of(DType.FP32, narrow, values.length);
    }

    private static double[] flat(JsonNode values) {
        List<Double> numbers = new ArrayList<>();
        for (JsonNode each : values) {
            if (each.isArray()) {
                each.forEach(number -> numbers.add(number.doubleValue()));
            } else {
                numbers.add(each.doubleValue());
            }
        }
        return numbers.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** The same numbers, nested like {@code shape}. */
    private static Object shaped(float[] values, JsonNode shape) {
        if (!shape.get(0).isArray()) {
            return values;
        }
        float[][] rows = new float[shape.size()][shape.get(0).size()];
        for (int i = 0; i < values.length; i++) {
            rows[i / rows[0].length][i % rows[0].length] = values[i];
        }
        return rows;
    }
}
