package io.rlhf4j.tensor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Owner of tensors: whatever it allocated is freed when it closes. Scopes form a tree, a parent closes its children.
 * Bytes held and their peak are counted over the whole tree, those on disk apart from those in memory. One thread uses a tree
 * at a time.
 */
public final class Scope implements AutoCloseable {
    private final Backend backend;
    private final Scope parent;
    private final String name;
    private final Path folder;
    private final List<Storage> storages = new ArrayList<>();
    private final List<Scope> children = new ArrayList<>();
    private final Count memory = new Count();
    private final Count disk = new Count();
    private boolean closed;

    private static final class Count {
        private long bytes;
        private long peak;

        private void change(long by) {
            bytes += by;
            peak = Math.max(peak, bytes);
        }
    }

    /** @param folder where tensors lie on disk; null for memory */
    private Scope(Backend backend, Scope parent, String name, Path folder) {
        this.backend = backend;
        this.parent = parent;
        this.name = name;
        this.folder = folder;
    }

    /** A scope without a parent. */
    public static Scope root(Backend backend, String name) {
        return new Scope(backend, null, name, null);
    }

    /** A scope that this one closes at the latest; its tensors lie where those of this one do. */
    public Scope child(String childName) {
        return child(childName, folder);
    }

    /** A scope that this one closes at the latest, and whose tensors lie on disk, in a folder of this machine. */
    public Scope childOnDisk(String childName, Path diskFolder) {
        return child(childName, diskFolder);
    }

    private Scope child(String childName, Path childFolder) {
        requireOpen();
        Scope child = new Scope(backend, this, name + "/" + childName, childFolder);
        children.add(child);
        return child;
    }

    public Backend backend() {
        return backend;
    }

    /** A new tensor whose elements are not set. */
    public Tensor allocate(DType type, int... shape) {
        requireOpen();
        long elements = 1;
        for (int length : shape) {
            elements = Math.multiplyExact(elements, (long) length);
        }
        Storage storage =
                folder == null ? backend.allocate(type, elements) : backend.allocateOnDisk(type, elements, folder);
        return hold(storage, type, shape);
    }

    /** Takes over memory that its backend made otherwise: the tensor of {@code shape} at its beginning. */
    public Tensor hold(Storage storage, DType type, int... shape) {
        requireOpen();
        storages.add(storage);
        count(storage.bytes());
        return Tensor.of(backend, storage, type, 0, shape);
    }

    /** A new tensor of zeros. */
    public Tensor zeros(DType type, int... shape) {
        Tensor tensor = allocate(type, shape);
        if (folder == null) {
            backend.fill(tensor, 0f);
        }
        return tensor;
    }

    /** A new tensor that holds {@code values} in order, rounded to {@code type}. */
    public Tensor of(DType type, float[] values, int... shape) {
        Tensor tensor = allocate(type, shape);
        if (tensor.elements() != values.length) {
            throw new IllegalArgumentException(values.length + " values for " + tensor);
        }
        backend.write(tensor, values, 0);
        return tensor;
    }

    /** Frees one tensor before the scope closes. It has to be the one that {@code allocate} returned, or span it. */
    public void free(Tensor tensor) {
        Storage storage = tensor.storage();
        for (int i = storages.size() - 1; i >= 0; i--) {
            if (storages.get(i) == storage) {
                storages.remove(i);
                count(-storage.bytes());
                storage.free();
                return;
            }
        }
        throw new IllegalArgumentException(tensor + " is not held by scope " + name);
    }

    /** Bytes of memory held now by this scope and its children. */
    public long bytes() {
        return memory.bytes;
    }

    /** The most that {@link #bytes()} has been. */
    public long peakBytes() {
        return memory.peak;
    }

    /** The most bytes on disk that this scope and its children have held at once. */
    public long peakDiskBytes() {
        return disk.peak;
    }

    private void count(long change) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            (folder == null ? scope.memory : scope.disk).change(change);
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("scope " + name + " is closed");
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (Scope child : List.copyOf(children)) {
            child.close();
        }
        long held = 0;
        for (Storage storage : storages) {
            held += storage.bytes();
            storage.free();
        }
        storages.clear();
        count(-held);
        if (parent != null) {
            parent.children.remove(this);
        }
    }

    @Override
    public String toString() {
        return "Scope " + name + ": " + memory.bytes + " bytes, peak " + memory.peak;
    }
}
