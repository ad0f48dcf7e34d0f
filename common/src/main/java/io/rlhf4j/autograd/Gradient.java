package io.rlhf4j.autograd;

import io.rlhf4j.tensor.Tensor;

/**
 * Where the gradient of one variable gathers during the backward pass. Its memory comes with the first contribution and
 * may be shared for a while with another variable of equal gradient: whoever adds to it copies it first.
 */
final class Gradient {
    /** Memory that is freed when its last holder lets go. */
    private static final class Shared {
        private final Tensor tensor;
        private int holders = 1;

        private Shared(Tensor tensor) {
            this.tensor = tensor;
        }
    }

    private final Memory memory;
    private final Tensor like;
    private final Gradient whole;
    private final int fromColumn;
    private Shared shared;
    private boolean columnsWritten;
    private int writtenColumns;

    private Gradient(Memory memory, Tensor like, Gradient whole, int fromColumn) {
        this.memory = memory;
        this.like = like;
        this.whole = whole;
        this.fromColumn = fromColumn;
    }

    /** The empty gradient of a variable with the shape and type of {@code value}. */
    static Gradient of(Memory memory, Tensor value) {
        return new Gradient(memory, value, null, 0);
    }

    /** The gradient of the columns of {@code value} that begin at {@code fromColumn}: a view of the gradient of all. */
    Gradient columns(Tensor columns, int column) {
        return new Gradient(memory, columns, this, column);
    }

    boolean isEmpty() {
        return whole == null ? shared == null : !columnsWritten;
    }

    /** What has gathered so far. */
    Tensor tensor() {
        if (isEmpty()) {
            throw new IllegalStateException("no gradient has reached " + like);
        }
        if (whole != null) {
            return whole.shared.tensor.columns(fromColumn, fromColumn + like.columns());
        }
        if (writtenColumns != 0 && writtenColumns != like.columns()) {
            throw new IllegalStateException("a gradient has reached %d columns of %s".formatted(writtenColumns, like));
        }
        return shared.tensor;
    }

    /** Memory for the first contribution, which has to set all of it. */
    Tensor first() {
        if (whole != null) {
            if (whole.shared == null) {
                whole.shared = new Shared(memory.like(whole.like));
            }
            whole.writtenColumns += like.columns();
            columnsWritten = true;
            return tensor();
        }
        shared = new Shared(memory.like(like));
        return shared.tensor;
    }

    /** What has gathered so far, in memory that may be changed. */
    Tensor writable() {
        if (whole != null || shared.holders == 1) {
            return tensor();
        }
        Tensor own = memory.like(like);
        own.backend().copy(shared.tensor, own);
        shared.holders--;
        shared = new Shared(own);
        return own;
    }

    /** Adds all of {@code other}, or shares its memory when this is empty. */
    void add(Gradient other) {
        if (!isEmpty()) {
            Tensor sum = writable();
            sum.backend().add(other.tensor(), sum, sum);
        } else if (whole == null && other.whole == null) {
            shared = other.shared;
            shared.holders++;
        } else {
            Tensor target = first();
            target.backend().copy(other.tensor(), target);
        }
    }

    /** Takes over {@code tensor}, held by the same memory, as the first contribution. */
    void take(Tensor tensor) {
        if (!isEmpty() || whole != null) {
            throw new IllegalStateException(like + " has a gradient already");
        }
        shared = new Shared(tensor);
    }

    /** Lets go of the memory. */
    void drop() {
        if (whole == null && shared != null) {
            if (--shared.holders == 0) {
                memory.free(shared.tensor);
            }
            shared = null;
        }
    }
}
