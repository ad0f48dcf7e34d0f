package io.rlhf4j.workers.checkpoint;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.FloatSource;
import io.rlhf4j.format.NamedTensor;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A copy of fp32 tensors, which can be written by another thread while the originals change. Closing frees it. */
final class Snapshot implements AutoCloseable {
    /** Elements copied at a time. */
    private static final int PIECE = 1 << 20;

    private final Scope scope;
    private final List<NamedTensor> tensors;

    private Snapshot(Scope scope, List<NamedTensor> tensors) {
        this.scope = scope;
        this.tensors = List.copyOf(tensors);
    }

    /**
     * Copies {@code originals}.
     *
     * @param parent of a backend that computes in memory of this process; it will hold the copies
     */
    static Snapshot of(List<NamedTensor> originals, Scope parent) throws IOException {
        Scope scope = parent.child("snapshot");
        try {
            List<NamedTensor> copies = new ArrayList<>();
            float[] values = new float[PIECE];
            for (NamedTensor original : originals) {
                copies.add(new NamedTensor(original.info(), source(copy(original, scope, values))));
            }
            return new Snapshot(scope, copies);
        } catch (IOException | RuntimeException | Error failed) {
            scope.close();
            throw failed;
        }
    }

    private static Tensor copy(NamedTensor original, Scope scope, float[] values) throws IOException {
        if (original.info().type() != ElementType.F32) {
            throw new IllegalArgumentException(original.info() + " is not fp32");
        }
        int elements = Math.toIntExact(original.info().elements());
        Tensor copy = scope.allocate(DType.FP32, elements);
        for (int from = 0; from < elements; from += PIECE) {
            int count = Math.min(PIECE, elements - from);
            original.values().read(from, values, count);
            copy.backend().write(copy.slice(from, from + count), values, 0);
        }
        return copy;
    }

    /** Reads around the backend's threads, which work for the rank meanwhile. */
    private static FloatSource source(Tensor copy) {
        return (offset, target, count) -> {
            int from = Math.toIntExact(offset);
            Tensor piece = copy.slice(from, from + count);
            Optional<ByteBuffer> bytes = piece.backend().hostBytes(piece);
            if (bytes.isPresent()) {
                bytes.get().order(ByteOrder.nativeOrder()).asFloatBuffer().get(target, 0, count);
            } else {
                piece.backend().read(piece, target, 0);
            }
        };
    }

    List<NamedTensor> tensors() {
        return tensors;
    }

    @Override
    public void close() {
        scope.close();
    }
}
