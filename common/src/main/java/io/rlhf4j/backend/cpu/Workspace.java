package io.rlhf4j.backend.cpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one thread needs while it works: small buffers by number, and oneDNN's products, whose arguments cannot be shared
 * between threads. Borrowed for the time of one piece of work.
 */
final class Workspace {
    private final MemoryPool pool;
    private final OneDnn oneDnn;
    private final List<NativeMemory> buffers = new ArrayList<>();
    private final List<Span> spans = new ArrayList<>();
    private final Map<ProductShape, Product> products = new RecentProducts();

    Workspace(MemoryPool pool, OneDnn oneDnn) {
        this.pool = pool;
        this.oneDnn = oneDnn;
    }

    /** Buffer {@code slot} with room for {@code bytes}; its content is that of the last use or nothing. */
    NativeMemory buffer(int slot, long bytes) {
        while (buffers.size() <= slot) {
            buffers.add(null);
            spans.add(new Span());
        }
        NativeMemory buffer = buffers.get(slot);
        if (buffer == null || buffer.capacity() < bytes) {
            if (buffer != null) {
                buffer.free();
            }
            buffer = pool.allocate(bytes);
            buffers.set(slot, buffer);
        }
        return buffer;
    }

    /** Buffer {@code slot} as room for {@code count} fp32. */
    Span floats(int slot, long count) {
        NativeMemory buffer = buffer(slot, 4 * count);
        return spans.get(slot).at(buffer, 0);
    }

    /** The fp32 from number {@code first} on that lie in buffer {@code slot} already. */
    Span floatsAt(int slot, long first) {
        return spans.get(slot).at(buffers.get(slot), 4 * first);
    }

    /** The fp32 that lie in {@code memory} from a byte on. */
    Span at(int slot, NativeMemory memory, long byteOffset) {
        buffer(slot, 0);
        return spans.get(slot).at(memory, byteOffset);
    }

    /** Elements of a row as fp32 to read: in place, or widened into buffer {@code slot}. */
    Span input(int slot, Rows rows, long row, long column, int count) {
        if (!rows.isBf16()) {
            return at(slot, rows.memory, rows.byteOffset(row, column));
        }
        Span span = floats(slot, count);
        long place = rows.byteOffset(row, column);
        Conversion.widen(rows.memory.window(place), NativeMemory.inWindow(place), span.memory, span.offset, count);
        return span;
    }

    /** Where to write elements of a row as fp32: in place, or buffer {@code slot}, which {@link Span#finish} rounds. */
    Span output(int slot, Rows rows, long row, long column, int count) {
        if (!rows.isBf16()) {
            return at(slot, rows.memory, rows.byteOffset(row, column));
        }
        return floats(slot, count).willNarrowTo(rows, row, column, count);
    }

    /** {@link #input} that will also be written: call {@link Span#finish}. */
    Span update(int slot, Rows rows, long row, long column, int count) {
        Span span = input(slot, rows, row, column, count);
        return rows.isBf16() ? span.willNarrowTo(rows, row, column, count) : span;
    }

    /** The product of {@code shape}, made at its first use. */
    Product product(ProductShape shape) {
        Product product = products.get(shape);
        if (product == null) {
            product = oneDnn.product(shape);
            products.put(shape, product);
        }
        return product;
    }

    void close() {
        products.values().forEach(Product::close);
        products.clear();
        for (NativeMemory buffer : buffers) {
            if (buffer != null) {
                buffer.free();
            }
        }
        buffers.clear();
        spans.clear();
    }

    /** The products used last; any other is closed. */
    private static final class RecentProducts extends LinkedHashMap<ProductShape, Product> {
        private static final int CAPACITY = 256;
        private static final long serialVersionUID = 1L;

        RecentProducts() {
            super(CAPACITY, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<ProductShape, Product> eldest) {
            if (size() <= CAPACITY) {
                return false;
            }
            eldest.getValue().close();
            return true;
        }
    }
}
