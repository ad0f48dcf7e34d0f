package io.rlhf4j.model.family;

import io.rlhf4j.model.Parameter;
import io.rlhf4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** A tensor of a model file, and which rows of which parameter it is, in which order. */
public final class HubTensor {
    private final String name;
    private final Parameter parameter;
    private final int fromRow;
    private final int toRow;
    private final boolean transposed;
    private final IntUnaryOperator rowOfFileRow;

    private HubTensor(
            String name,
            Parameter parameter,
            int fromRow,
            int toRow,
            boolean transposed,
            IntUnaryOperator rowOfFileRow) {
        this.name = name;
        this.parameter = parameter;
        this.fromRow = fromRow;
        this.toRow = toRow;
        this.transposed = transposed;
        this.rowOfFileRow = rowOfFileRow;
    }

    /** The whole parameter as it is. */
    static HubTensor whole(String name, Parameter parameter) {
        return rows(name, parameter, 0, parameter.shape()[0]);
    }

    /** Some rows of the parameter. */
    static HubTensor rows(String name, Parameter parameter, int from, int to) {
        return new HubTensor(name, parameter, from, to, false, null);
    }

    /** The whole parameter, its rows as columns. */
    static HubTensor transposed(String name, Parameter parameter) {
        return new HubTensor(name, parameter, 0, parameter.shape()[0], true, null);
    }

    /** Query, key and value rows head by head in the file; all queries, all keys, all values in the parameter. */
    static HubTensor interleavedHeads(String name, Parameter parameter, int heads, int headDim) {
        IntUnaryOperator row =
                fileRow -> (fileRow / headDim % 3 * heads + fileRow / (3 * headDim)) * headDim + fileRow % headDim;
        return new HubTensor(name, parameter, 0, parameter.shape()[0], false, row);
    }

    /** Its name in the file. */
    public String name() {
        return name;
    }

    /** The parameter that it is a part of. */
    public Parameter parameter() {
        return parameter;
    }

    /** Its shape in the file. */
    public List<Integer> shape() {
        int[] shape = parameter.shape();
        shape[0] = toRow - fromRow;
        return transposed
                ? List.of(shape[1], shape[0])
                : Arrays.stream(shape).boxed().toList();
    }

    /** Whether its elements lie in the file in the order of the parameter's rows. */
    public boolean inOrder() {
        return !transposed && rowOfFileRow == null;
    }

    /** Its rows of {@code whole}, a tensor of the parameter's shape. */
    public Tensor rowsOf(Tensor whole) {
        return whole.slice(fromRow, toRow);
    }

    /** Elements in the file's order from those in the parameter's order. */
    public float[] toFile(float[] rows) {
        float[] file = new float[rows.length];
        int columns = rows.length / (toRow - fromRow);
        for (int row = 0; row < toRow - fromRow; row++) {
            move(rows, file, row, columns, true);
        }
        return file;
    }

    /** Elements in the parameter's order from those in the file's order. */
    public float[] fromFile(float[] file) {
        float[] rows = new float[file.length];
        int columns = file.length / (toRow - fromRow);
        for (int row = 0; row < toRow - fromRow; row++) {
            move(file, rows, row, columns, false);
        }
        return rows;
    }

    private void move(float[] source, float[] target, int fileRow, int columns, boolean toFile) {
        int ownRow = rowOfFileRow == null ? fileRow : rowOfFileRow.applyAsInt(fileRow);
        int height = toRow - fromRow;
        for (int column = 0; column < columns; column++) {
            int own = ownRow * columns + column;
            int file = transposed ? column * height + fileRow : fileRow * columns + column;
            target[toFile ? file : own] = source[toFile ? own : file];
        }
    }

    @Override
    public String toString() {
        return name + shape();
    }
}
