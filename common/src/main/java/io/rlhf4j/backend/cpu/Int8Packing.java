package io.rlhf4j.backend.cpu;

import static io.rlhf4j.backend.cpu.Lanes.WIDTH;

import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Int8;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Lays weights out that are rounded to {@link Int8}: blocks of outputs, one behind the other, in a block input after input,
 * each with a byte for every output of the block. That is the order of packed fp32 weights but for one thing: four vectors of
 * outputs share the bytes of their words ({@link Lanes#int8}), so that they come out of one load. Outputs and inputs are
 * filled up with zeros.
 */
final class Int8Packing {
    /** Outputs, and bytes of an input, in a block. */
    static final int BLOCK = 8 * WIDTH;

    private static final int BYTES_OF_WORD = 4;

    private Int8Packing() {}

    /** Whether a block that is made fp32 is a packed fp32 weight. */
    static boolean fits(OneDnn oneDnn, int inputs) {
        return oneDnn.packedBlock(DType.FP32, BLOCK, inputs) == BLOCK;
    }

    /** Bytes of a block; oneDNN fills inputs up too. */
    private static long blockBytes(OneDnn oneDnn, int inputs) {
        return oneDnn.packedBytes(DType.FP32, BLOCK, inputs) / DType.FP32.bytes();
    }

    /** Bytes of weights in this layout. */
    static long bytes(OneDnn oneDnn, int outputs, int inputs) {
        return blocks(outputs) * blockBytes(oneDnn, inputs);
    }

    static int blocks(int outputs) {
        return (outputs + BLOCK - 1) / BLOCK;
    }

    /** Fills {@code piece} with what it holds of {@code weight} [out, in]. */
    static void pack(Rows weight, PackedWeight.Piece piece, Workspace workspace) {
        for (int output = 0; output < piece.outputs(); output++) {
            int inputs = Math.toIntExact(weight.columns);
            Span row = workspace.input(0, weight, piece.first() + output, 0, inputs);
            Span scale = workspace.at(1, piece.scales(), 4L * output);
            Lanes.set(
                    scale.memory, scale.offset, Int8.scale(largest(row.memory, row.offset, inputs)) / Lanes.INT8_UNIT);
        }
        for (PackedWeight.Part part : piece.parts()) {
            int blocks = blocks(piece.outputs());
            for (int block = 0; block < blocks; block++) {
                long bytes = part.memory().bytes() / blocks;
                Span all = workspace.at(0, part.memory(), block * bytes);
                Conversion.fill(all.memory, all.offset, Math.toIntExact(bytes / BYTES_OF_WORD), 0f);
            }
            for (int first = 0; first < blocks * BLOCK; first += BYTES_OF_WORD * WIDTH) {
                for (int i = 0; i < WIDTH; i++) {
                    words(weight, piece, part, first, i, workspace);
                }
            }
        }
    }

    /** The largest magnitude; NaN where one number is. As bits of positive numbers they are in order, NaN above all. */
    private static float largest(Object row, long at, int count) {
        IntVector largest = Lanes.broadcast(0f).reinterpretAsInts();
        int i = 0;
        for (; i <= count - WIDTH; i += WIDTH) {
            FloatVector magnitude = Lanes.load(row, at + 4L * i).abs();
            largest = largest.max(magnitude.reinterpretAsInts());
        }
        int most = largest.reduceLanes(VectorOperators.MAX);
        for (; i < count; i++) {
            most = Int8.larger(most, Lanes.get(row, at + 4L * i));
        }
        return Float.intBitsToFloat(most);
    }

    /** Word {@code i} of the four vectors of outputs from {@code first} on, for all inputs of a part. */
    private static void words(
            Rows weight, PackedWeight.Piece piece, PackedWeight.Part part, int first, int i, Workspace workspace) {
        int inputs = part.inputs();
        Span words = workspace.floats(BYTES_OF_WORD, inputs);
        Conversion.fill(words.memory, words.offset, inputs, 0f);
        for (int k = 0; k < BYTES_OF_WORD; k++) {
            int output = first + k * WIDTH + i;
            if (output < piece.outputs()) {
                Span scale = workspace.at(1, piece.scales(), 4L * output);
                float factor = Lanes.get(scale.memory, scale.offset) * Lanes.INT8_UNIT;
                Span row = workspace.input(0, weight, piece.first() + output, part.first(), inputs);
                round(row.memory, row.offset, factor, 8 * k, inputs, words.memory, words.offset);
            }
        }
        long block = part.memory().bytes() / blocks(piece.outputs());
        long place = first / BLOCK * block + first % BLOCK + (long) BYTES_OF_WORD * i;
        Object target = part.memory().window(place);
        long to = NativeMemory.inWindow(place);
        for (int input = 0; input < inputs; input++) {
            int word = Lanes.getInt(words.memory, words.offset + 4L * input);
            Lanes.setInt(target, to + (long) BLOCK * input, word);
        }
    }

    /** Puts a row's whole numbers into bytes of words, {@code shift} bits from the lowest, that are zero. */
    private static void round(Object row, long at, float scale, int shift, int inputs, Object words, long to) {
        FloatVector rounding = Lanes.broadcast(Int8.ROUNDING);
        int i = 0;
        for (; i <= inputs - WIDTH; i += WIDTH) {
            IntVector bits =
                    Lanes.load(row, at + 4L * i).div(scale).add(rounding).reinterpretAsInts();
            IntVector bytes = bits.and(0xff).lanewise(VectorOperators.LSHL, shift);
            IntVector word = Lanes.load(words, to + 4L * i).reinterpretAsInts().or(bytes);
            Lanes.store(word.reinterpretAsFloats(), words, to + 4L * i);
        }
        for (; i < inputs; i++) {
            int bytes = (Int8.bits(Lanes.get(row, at + 4L * i), scale) & 0xff) << shift;
            Lanes.setInt(words, to + 4L * i, Lanes.getInt(words, to + 4L * i) | bytes);
        }
    }
}
