package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.AdamWSettings;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Tensor;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** What the optimizer asks of the backend: one pass over flat tensors. */
final class Optimizer {
    private static final int BLOCK = 2048;
    private static final int BLOCKS_PER_PIECE = 16;
    private static final VectorSpecies<Double> DOUBLES = VectorSpecies.of(double.class, Lanes.FLOATS.vectorShape());

    private final WorkerPool workers;

    Optimizer(WorkerPool workers) {
        this.workers = workers;
    }

    double sumOfSquares(Tensor x) {
        Rows rows = x.isContiguous() ? Rows.flat(x) : Rows.of(x);
        long columns = rows.columns;
        int blocks = Math.toIntExact((columns + BLOCK - 1) / BLOCK);
        int pieces = rows.count * blocks;
        double[] sums = new double[pieces];
        workers.forRanges(pieces, BLOCKS_PER_PIECE, (first, end, workspace) -> {
            for (int piece = first; piece < end; piece++) {
                long from = (long) (piece % blocks) * BLOCK;
                int count = (int) Math.min(BLOCK, columns - from);
                Span span = workspace.input(0, rows, piece / blocks, from, count);
                sums[piece] = sumOfSquares(span.memory, span.offset, count);
            }
        });
        double total = 0;
        for (double sum : sums) {
            total += sum;
        }
        return total;
    }

    private static double sumOfSquares(Object x, long at, int count) {
        DoubleVector low = DoubleVector.zero(DOUBLES);
        DoubleVector high = low;
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector v = Lanes.load(x, at + 4L * i);
            DoubleVector p = (DoubleVector) v.convertShape(VectorOperators.F2D, DOUBLES, 0);
            DoubleVector q = (DoubleVector) v.convertShape(VectorOperators.F2D, DOUBLES, 1);
            low = p.fma(p, low);
            high = q.fma(q, high);
        }
        double sum = 0;
        DoubleVector both = low.add(high);
        for (int lane = 0; lane < DOUBLES.length(); lane++) {
            sum += both.lane(lane);
        }
        for (; i < count; i++) {
            double value = Lanes.get(x, at + 4L * i);
            sum += value * value;
        }
        return sum;
    }

    void adamW(AdamWSettings settings, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
        requireFp32(parameter);
        requireFp32(moment1);
        requireFp32(moment2);
        Rows values = Rows.flat(parameter);
        Rows gradients = Rows.flat(gradient);
        Rows firsts = Rows.flat(moment1);
        Rows seconds = Rows.flat(moment2);
        AdamWFactors factors = AdamWFactors.of(settings);
        long elements = parameter.elements();
        int blocks = Math.toIntExact((elements + BLOCK - 1) / BLOCK);
        workers.forRanges(blocks, BLOCKS_PER_PIECE, (first, end, workspace) -> {
            for (int block = first; block < end; block++) {
                long from = (long) block * BLOCK;
                int count = (int) Math.min(BLOCK, elements - from);
                step(
                        factors,
                        workspace.output(0, values, 0, from, count),
                        workspace.input(1, gradients, 0, from, count),
                        workspace.output(2, firsts, 0, from, count),
                        workspace.output(3, seconds, 0, from, count),
                        count);
            }
        });
    }

    private static void requireFp32(Tensor tensor) {
        if (tensor.type() != DType.FP32) {
            throw new IllegalArgumentException("masters and moments are FP32, given " + tensor);
        }
    }

    /** The numbers of one step, rounded once. */
    private record AdamWFactors(
            float keep,
            float toFirst,
            float keepSecond,
            float toSecond,
            float rootFactor,
            float epsilon,
            float stepSize,
            float gradientScale) {
        static AdamWFactors of(AdamWSettings s) {
            double correction1 = 1 - StrictMath.pow(s.beta1(), s.step());
            double correction2 = 1 - StrictMath.pow(s.beta2(), s.step());
            return new AdamWFactors(
                    (float) (1 - s.learningRate() * s.weightDecay()),
                    (float) (1 - s.beta1()),
                    (float) s.beta2(),
                    (float) (1 - s.beta2()),
                    (float) (1 / Math.sqrt(correction2)),
                    (float) s.epsilon(),
                    (float) (-s.learningRate() / correction1),
                    (float) s.gradientScale());
        }
    }

    private static void step(AdamWFactors f, Span value, Span gradient, Span first, Span second, int count) {
        step(
                f,
                value.memory,
                value.offset,
                gradient.memory,
                gradient.offset,
                first.memory,
                first.offset,
                second.memory,
                second.offset,
                count);
    }

    private static void step(
            AdamWFactors f,
            Object value,
            long valueAt,
            Object gradient,
            long gradientAt,
            Object first,
            long firstAt,
            Object second,
            long secondAt,
            int count) {
        FloatVector gradientScale = Lanes.broadcast(f.gradientScale);
        FloatVector toFirst = Lanes.broadcast(f.toFirst);
        FloatVector toSecond = Lanes.broadcast(f.toSecond);
        FloatVector keepSecond = Lanes.broadcast(f.keepSecond);
        FloatVector rootFactor = Lanes.broadcast(f.rootFactor);
        FloatVector epsilon = Lanes.broadcast(f.epsilon);
        FloatVector keep = Lanes.broadcast(f.keep);
        FloatVector stepSize = Lanes.broadcast(f.stepSize);
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector g = Lanes.load(gradient, gradientAt + 4L * i).mul(gradientScale);
            FloatVector m = Lanes.load(first, firstAt + 4L * i);
            FloatVector v = Lanes.load(second, secondAt + 4L * i);
            m = g.sub(m).fma(toFirst, m);
            v = g.mul(toSecond).fma(g, v.mul(keepSecond));
            FloatVector root = v.lanewise(VectorOperators.SQRT).fma(rootFactor, epsilon);
            FloatVector p = Lanes.load(value, valueAt + 4L * i).mul(keep);
            p = m.div(root).fma(stepSize, p);
            Lanes.store(m, first, firstAt + 4L * i);
            Lanes.store(v, second, secondAt + 4L * i);
            Lanes.store(p, value, valueAt + 4L * i);
        }
        for (; i < count; i++) {
            float g = Lanes.get(gradient, gradientAt + 4L * i) * f.gradientScale;
            float m = Lanes.get(first, firstAt + 4L * i);
            float v = Lanes.get(second, secondAt + 4L * i);
            m = Math.fma(g - m, f.toFirst, m);
            v = Math.fma(g * f.toSecond, g, v * f.keepSecond);
            float root = Math.fma((float) Math.sqrt(v), f.rootFactor, f.epsilon);
            float p = Lanes.get(value, valueAt + 4L * i) * f.keep;
            p = Math.fma(m / root, f.stepSize, p);
            Lanes.set(first, firstAt + 4L * i, m);
            Lanes.set(second, secondAt + 4L * i, v);
            Lanes.set(value, valueAt + 4L * i, p);
        }
    }
}
