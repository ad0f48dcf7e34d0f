package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * The tensors of one conformance test. They begin at odd places of a larger storage, whose other elements are guards:
 * closing the workbench checks that no operation touched one. Outputs begin as NaN, so that adding where an operation
 * should overwrite shows.
 */
final class Workbench implements AutoCloseable {
    private static final int[] OFFSETS = {0, 16, 5, 33};
    private static final int MARGIN = 19;
    /** A value that survives bf16 exactly and that no test computes. */
    private static final float GUARD = 77f;

    private record Guarded(Tensor whole, Tensor view) {}

    private final Backend backend;
    private final Scope scope;
    private final Random random;
    private final List<Guarded> guarded = new ArrayList<>();

    Workbench(Backend backend, long seed) {
        this.backend = backend;
        this.scope = Scope.root(backend, "conformance");
        this.random = new Random(seed);
    }

    /** Holds what an operation allocates itself. */
    Scope scope() {
        return scope;
    }

    /** Standard normal values, contiguous. */
    Tensor normal(DType type, int... shape) {
        return of(type, normals(elements(shape)), shape);
    }

    /** Standard normal values in a range of columns of a wider matrix. */
    Tensor normalColumns(DType type, int rows, int columns) {
        Tensor view = columns(type, rows, columns);
        backend.write(view, normals(rows * columns), 0);
        return view;
    }

    /** A contiguous tensor of NaN, to be overwritten. */
    Tensor output(DType type, int... shape) {
        Tensor view = view(type, shape);
        backend.fill(view, Float.NaN);
        return view;
    }

    /** A range of columns of a wider matrix, NaN, to be overwritten. */
    Tensor outputColumns(DType type, int rows, int columns) {
        Tensor view = columns(type, rows, columns);
        backend.fill(view, Float.NaN);
        return view;
    }

    /** A contiguous tensor of these values, rounded to the type. */
    Tensor of(DType type, float[] values, int... shape) {
        Tensor view = view(type, shape);
        backend.write(view, values, 0);
        return view;
    }

    /** A contiguous tensor of these values, rounded to the type. */
    Tensor of(DType type, double[] values, int... shape) {
        return of(type, floats(values), shape);
    }

    /** A new tensor of the same type, shape and elements. */
    Tensor copyOf(Tensor source) {
        return of(source.type(), source.toFloats(), source.shape());
    }

    /** A number in [0, bound). */
    int below(int bound) {
        return random.nextInt(bound);
    }

    int[] indices(int count, int bound) {
        return random.ints(count, 0, bound).toArray();
    }

    float[] normals(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private Tensor view(DType type, int... shape) {
        int offset = OFFSETS[guarded.size() % OFFSETS.length];
        Tensor whole = scope.allocate(type, offset + elements(shape) + MARGIN);
        backend.fill(whole, GUARD);
        return guard(whole, Tensor.of(backend, whole.storage(), type, offset, shape));
    }

    private Tensor columns(DType type, int rows, int columns) {
        int from = OFFSETS[guarded.size() % OFFSETS.length];
        Tensor whole = scope.allocate(type, rows, from + columns + MARGIN);
        backend.fill(whole, GUARD);
        return guard(whole, whole.columns(from, from + columns));
    }

    private Tensor guard(Tensor whole, Tensor view) {
        guarded.add(new Guarded(whole, view));
        return view;
    }

    /** All elements, exactly. */
    static double[] values(Tensor tensor) {
        return doubles(tensor.toFloats());
    }

    static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    static float[] floats(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return narrow;
    }

    private static int elements(int... shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    @Override
    public void close() {
        for (Guarded pair : guarded) {
            boolean[] used = new boolean[Math.toIntExact(pair.whole.elements())];
            for (int row = 0; row < pair.view.rows(); row++) {
                int begin = Math.toIntExact(pair.view.offset() + row * pair.view.rowStride());
                Arrays.fill(used, begin, begin + pair.view.columns(), true);
            }
            float[] whole = pair.whole.toFloats();
            for (int i = 0; i < used.length; i++) {
                if (!used[i]) {
                    assertThat(whole[i])
                            .as("element %d outside of %s", i, pair.view)
                            .isEqualTo(GUARD);
                }
            }
        }
        scope.close();
    }
}
