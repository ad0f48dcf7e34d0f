package io.rlhf4j.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Pieces of larger memory are apart from each other, and all of it comes back when the last of them does. */
class SlabsTest {
    private static final long MIB = 1L << 20;

    private final MemoryBudget budget = new MemoryBudget(64 * MIB);
    private final MemoryPool pool = new MemoryPool(new NativeCalls(new OneDnn().library()), budget);
    private final Slabs slabs = new Slabs(pool);

    @Test
    void piecesDoNotOverlap() {
        List<NativeMemory> pieces = new ArrayList<>();
        for (long bytes : new long[] {3 * MIB, 100, 3 * MIB, 1, 2 * MIB + 4, 64, 3 * MIB, 3 * MIB, 3 * MIB}) {
            pieces.add(slabs.allocate(bytes));
            assertThat(pieces.get(pieces.size() - 1).bytes()).isEqualTo(bytes);
        }
        pieces.sort((a, b) -> Long.compareUnsigned(a.address(), b.address()));
        for (int i = 1; i < pieces.size(); i++) {
            NativeMemory before = pieces.get(i - 1);
            assertThat(pieces.get(i).address() - before.address()).isGreaterThanOrEqualTo(before.bytes());
        }
        pieces.forEach(NativeMemory::free);
    }

    @Test
    void memoryIsThereAgainForOthersOnceAllPiecesAreGivenBack() {
        for (int round = 0; round < 3; round++) {
            // Each time nearly all that there may be: what is not given back would be missed.
            List<NativeMemory> pieces = new ArrayList<>();
            for (int i = 0; i < 15; i++) {
                pieces.add(slabs.allocate(3 * MIB));
            }
            pieces.forEach(NativeMemory::free);
            pool.allocate(60 * MIB).free();
        }
    }

    @Test
    void aLargePieceIsThePoolsOwn() {
        NativeMemory large = slabs.allocate(5 * MIB);
        assertThat(large.capacity()).isEqualTo(MemoryPool.sizeClass(5 * MIB));
        large.free();
    }
}
