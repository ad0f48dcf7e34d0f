package io.rlhf4j.backend.cpu;

import io.rlhf4j.tensor.DType;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Puts bf16 weights into oneDNN's layout where the processor does not multiply bf16: oneDNN has only a plain loop for that
 * then, which takes seconds for a model of 125 million parameters.
 *
 * <p>The layout is blocks of outputs, one behind the other. In a block input follows input, each with its weights for
 * all outputs of the block. Outputs and inputs are filled up with zeros.
 */
final class Bf16Packing {
    /** Inputs whose part of a block stays in a core's first cache. */
    private static final int INPUTS_AT_ONCE = 128;

    private static final int LOWER = 0xffff;
    private static final int UPPER = 0xffff0000;

    private Bf16Packing() {}

    /** Outputs of a block of this layout of a weight [inputs, outputs]; 0 where it is another one. */
    static int block(dnnl_memory_desc layout) {
        try (IntPointer levels = new IntPointer(1)) {
            OneDnn.check(dnnl.dnnl_memory_desc_query(layout, dnnl.dnnl_query_inner_nblks_s32, levels), "read a layout");
            if (levels.get() != 2) {
                return 0;
            }
        }
        LongPointer sizes = longs(layout, dnnl.dnnl_query_inner_blks);
        LongPointer dimensions = longs(layout, dnnl.dnnl_query_inner_idxs);
        LongPointer strides = longs(layout, dnnl.dnnl_query_strides);
        LongPointer padded = longs(layout, dnnl.dnnl_query_padded_dims);
        long inputs = sizes.get(0);
        long outputs = sizes.get(1);
        boolean known = dimensions.get(0) == 0
                && dimensions.get(1) == 1
                && outputs % 2 == 0
                && strides.get(0) == inputs * outputs
                && strides.get(1) == padded.get(0) * outputs;
        return known ? Math.toIntExact(outputs) : 0;
    }

    private static LongPointer longs(dnnl_memory_desc layout, int what) {
        try (PointerPointer<LongPointer> place = new PointerPointer<>(1)) {
            OneDnn.check(dnnl.dnnl_memory_desc_query(layout, what, place), "read a layout");
            return place.get(LongPointer.class, 0);
        }
    }

    /** Fills {@code part} with what it holds of {@code weight} [out, in], whose row {@code first} is its first output. */
    static void pack(Rows weight, int first, PackedWeight.Part part) {
        int inputs = part.inputs();
        int block = part.block();
        NativeMemory target = part.memory();
        int blocks = (part.outputs() + block - 1) / block;
        long blockBytes = target.bytes() / blocks;
        for (int i = 0; i < blocks; i++) {
            long place = i * blockBytes;
            Object memory = target.window(place);
            long at = NativeMemory.inWindow(place);
            Conversion.fillBf16(memory, at, Math.toIntExact(blockBytes / DType.BF16.bytes()), 0f);
            int begin = first + i * block;
            int end = Math.min(begin + block, first + part.outputs());
            for (int from = 0; from < inputs; from += INPUTS_AT_ONCE) {
                int count = Math.min(INPUTS_AT_ONCE, inputs - from);
                for (int output = begin; output < end; output += 2) {
                    int next = Math.min(output + 1, end - 1);
                    long to = at + 2L * ((long) from * block + output - begin);
                    pair(weight, output, next, part.first() + from, count, memory, to, 2L * block);
                }
            }
        }
    }

    /** The weights of two outputs as words that are {@code step} bytes apart; the second output may be missing. */
    private static void pair(
            Rows weight, int output, int next, int from, int count, Object target, long to, long step) {
        long place = weight.byteOffset(output, from);
        long nextPlace = weight.byteOffset(next, from);
        Object a = weight.memory.window(place);
        Object b = weight.memory.window(nextPlace);
        long aAt = NativeMemory.inWindow(place);
        long bAt = NativeMemory.inWindow(nextPlace);
        int present = next == output ? 0 : -1;
        int i = 0;
        for (; i + 1 < count; i += 2) {
            int first = Float.floatToRawIntBits(Lanes.get(a, aAt + 2L * i));
            int second = Float.floatToRawIntBits(Lanes.get(b, bAt + 2L * i)) & present;
            Lanes.set(target, to + step * i, Float.intBitsToFloat(first & LOWER | second << 16));
            Lanes.set(target, to + step * (i + 1), Float.intBitsToFloat(first >>> 16 | second & UPPER));
        }
        if (i < count) {
            Lanes.setBf16(target, to + step * i, Lanes.getBf16(a, aAt + 2L * i));
            if (present != 0) {
                Lanes.setBf16(target, to + step * i + 2, Lanes.getBf16(b, bAt + 2L * i));
            }
        }
    }
}
