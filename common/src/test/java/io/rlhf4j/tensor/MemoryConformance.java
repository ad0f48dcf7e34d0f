package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Allocation, host copies, conversions and views. */
interface MemoryConformance extends Conformance {
    @ParameterizedTest
    @EnumSource(DType.class)
    default void storageHoldsAtLeastItsElements(DType type) {
        Storage storage = backend().allocate(type, 33);
        assertThat(storage.bytes()).isBetween(33L * type.bytes(), 33L * type.bytes() + 4096);
        storage.free();
    }

    /** A backend that cannot keep tensors on disk says so. */
    @Test
    default void tensorsOnDiskAreZerosThatComputeAsThoseInMemoryOrAreRefused(@TempDir Path folder) throws IOException {
        float[] values = {0f, 1f, -1.1f, Float.MIN_VALUE, Float.MAX_VALUE, 3f, 7f};
        try (Scope memory = Scope.root(backend(), "memory")) {
            Scope disk = memory.childOnDisk("disk", folder);
            Tensor zeros;
            try {
                zeros = disk.zeros(DType.FP32, 1_000_003);
            } catch (Rlhf4jException refused) {
                assertThat(refused.kind()).isEqualTo(ErrorKind.CONFIGURATION);
                assertThat(refused).hasMessageContaining("cluster.offload");
                return;
            }
            try (Stream<Path> files = Files.list(folder)) {
                // Nothing that could outlive the process, however it ends.
                assertThat(files).isEmpty();
            }
            assertThat(memory.bytes()).isZero();
            assertThat(memory.peakDiskBytes()).isBetween(4_000_012L, 4_000_012L + 4096);
            assertThat(backend().sumOfSquares(zeros)).isZero();
            backend().willNeed(zeros, true);
            Tensor end = zeros.slice(1_000_003 - values.length, 1_000_003);
            Tensor same = memory.of(DType.FP32, values, values.length);
            backend().write(end, values, 0);
            backend().willNeed(zeros, false);
            backend().addScaled(0.3f, same, end);
            backend().addScaled(0.3f, same, same);
            assertThat(zeros.slice(1_000_003 - values.length, 1_000_003).toFloats())
                    .containsExactly(same.toFloats());
            disk.free(zeros);
        }
    }

    @Test
    default void fp32GoesInAndOutBitForBit() {
        float[] values = {0f, -0f, 1f, -1.1f, Float.MIN_VALUE, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN};
        try (Workbench bench = open()) {
            assertThat(bench.of(DType.FP32, values, 2, 4).toFloats()).containsExactly(values);
        }
    }

    @Test
    default void bf16IsRoundedToTheNearestEven() {
        float[] values = {
            1f,
            Float.intBitsToFloat(0x3F808000), // half way to the next, stays at even 3F80
            Float.intBitsToFloat(0x3F818000), // half way, goes up to even 3F82
            Float.intBitsToFloat(0x3F808001),
            Float.intBitsToFloat(0x3F817FFF),
            -1.2345678f,
            3e38f,
            1e-30f,
            0f,
            Float.NEGATIVE_INFINITY,
            Float.NaN
        };
        try (Workbench bench = open()) {
            float[] expected = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                expected[i] = Bf16.round(values[i]);
            }
            assertThat(bench.of(DType.BF16, values, values.length).toFloats()).containsExactly(expected);
        }
    }

    @Test
    default void copyConvertsAsWritingDoes() {
        try (Workbench bench = open()) {
            Tensor source = bench.normalColumns(DType.FP32, 7, 37);
            Tensor half = bench.outputColumns(DType.BF16, 7, 37);
            Tensor back = bench.output(DType.FP32, 7, 37);
            backend().copy(source, half);
            backend().copy(half, back);
            float[] expected = source.toFloats();
            for (int i = 0; i < expected.length; i++) {
                expected[i] = Bf16.round(expected[i]);
            }
            assertThat(half.toFloats()).containsExactly(expected);
            assertThat(back.toFloats()).containsExactly(expected);
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void copyKeepsTheBitsOfAnEqualType(DType type) {
        try (Workbench bench = open()) {
            Tensor flat = bench.normal(type, 5, 3, 17);
            Tensor flatCopy = bench.output(type, 5, 3, 17);
            Tensor view = bench.normalColumns(type, 9, 31);
            Tensor viewCopy = bench.outputColumns(type, 9, 31);
            backend().copy(flat, flatCopy);
            backend().copy(view, viewCopy);
            assertThat(flatCopy.toFloats()).containsExactly(flat.toFloats());
            assertThat(viewCopy.toFloats()).containsExactly(view.toFloats());
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void writeAndReadStartWhereTheyAreTold(DType type) {
        try (Workbench bench = open()) {
            Tensor view = bench.outputColumns(type, 2, 3);
            backend().write(view, new float[] {9, 9, 1, 2, 3, 4, 5, 6, 9}, 2);
            float[] read = new float[8];
            backend().read(view, read, 1);
            assertThat(read).containsExactly(0, 1, 2, 3, 4, 5, 6, 0);
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void fillSetsTheViewAlone(DType type) {
        try (Workbench bench = open()) {
            Tensor view = bench.outputColumns(type, 5, 7);
            backend().fill(view, 1.5f);
            assertThat(view.toFloats()).hasSize(35).containsOnly(1.5f);
            Tensor slice = bench.output(type, 6, 5).slice(2, 4);
            backend().fill(slice, -2f);
            assertThat(slice.toFloats()).hasSize(10).containsOnly(-2f);
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    default void whatIsPutIntoTheHostBytesIsPutIntoTheTensor(DType type) {
        try (Workbench bench = open()) {
            Tensor slice = bench.of(type, new float[] {1, 2, 3, 4, 5}, 5).slice(1, 4);
            // A backend whose memory lies elsewhere shows none.
            backend().hostBytes(slice).ifPresent(bytes -> {
                assertThat(bytes.remaining()).isEqualTo(3 * type.bytes());
                ByteBuffer two = bytes.duplicate().order(bytes.order()).limit(type.bytes());
                bytes.position(2 * type.bytes()).put(two);
                assertThat(slice.toFloats()).containsExactly(2, 3, 2);
            });
            assertThat(backend().hostBytes(slice.slice(1, 1)).map(ByteBuffer::remaining))
                    .isIn(Optional.empty(), Optional.of(0));
        }
    }

    @Test
    default void slicesAndColumnsShareTheMemory() {
        try (Workbench bench = open()) {
            Tensor matrix = bench.of(DType.FP32, new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 3, 4);
            backend().fill(matrix.columns(1, 3).slice(1, 3), 0f);
            assertThat(matrix.toFloats()).containsExactly(1, 2, 3, 4, 5, 0, 0, 8, 9, 0, 0, 12);
        }
    }

    @Test
    default void copyOfAnotherShapeIsRefused() {
        try (Workbench bench = open()) {
            Tensor source = bench.normal(DType.FP32, 2, 3);
            Tensor target = bench.normal(DType.FP32, 3, 2);
            assertThatThrownBy(() -> backend().copy(source, target))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[2, 3]")
                    .hasMessageContaining("[3, 2]");
        }
    }
}
