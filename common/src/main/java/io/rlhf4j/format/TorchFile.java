package io.rlhf4j.format;

import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A state dict as {@code torch.save} writes it since PyTorch 1.6: a zip with {@code <prefix>/data.pkl}, a pickled dictionary
 * of tensors, and {@code <prefix>/data/<key>}, the bytes of each storage. Several tensors may share a storage.
 */
final class TorchFile {
    /** A pickle of nothing but tensor names and shapes is small. */
    private static final int MAXIMUM_PICKLE = 256_000_000;

    private final String origin;
    private final Map<String, ByteRegion> entries;
    private final String prefix;

    private TorchFile(String origin, Map<String, ByteRegion> entries) {
        this.origin = origin;
        this.entries = entries;
        this.prefix = entries.keySet().stream()
                .filter(name -> name.endsWith("/data.pkl"))
                .map(name -> name.substring(0, name.length() - "data.pkl".length()))
                .findFirst()
                .orElseThrow(() -> Rlhf4jException.data(
                        origin + ": this zip has no data.pkl: it is no PyTorch file, or a TorchScript program"));
    }

    /** Reads what is in the file; {@code bytes} is closed with the result. */
    static TensorTable open(String origin, RandomAccessBytes bytes) throws IOException {
        TorchFile file = new TorchFile(origin, ZipDirectory.read(origin, bytes));
        return new TensorTable(origin, file.tensors(), Map.of(), List.of(bytes));
    }

    private Map<String, StoredTensor> tensors() throws IOException {
        requireLittleEndian();
        ByteRegion pickle = entries.get(prefix + "data.pkl");
        if (pickle.length() > MAXIMUM_PICKLE) {
            throw Rlhf4jException.data("%s: data.pkl has %d bytes, too many for names and shapes of tensors"
                    .formatted(origin, pickle.length()));
        }
        Object root = new TorchPickle(origin + "!data.pkl", pickle.readAll(0, pickle.length())).load();
        if (!(root instanceof Map<?, ?> stateDict)) {
            throw Rlhf4jException.data(origin + ": does not hold a dictionary of tensors; save model.state_dict()");
        }
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : stateDict.entrySet()) {
            if (!(entry.getKey() instanceof String name) || !(entry.getValue() instanceof TorchTensor tensor)) {
                throw Rlhf4jException.data(
                        "%s: its entry '%s' is no tensor; a state dict of tensors alone is wanted: save model.state_dict()"
                                .formatted(origin, entry.getKey()));
            }
            tensors.put(name, stored(name, tensor));
        }
        return tensors;
    }

    private void requireLittleEndian() throws IOException {
        ByteRegion order = entries.get(prefix + "byteorder");
        if (order != null && order.length() < 16) {
            String name = new String(order.readAll(0, order.length()), StandardCharsets.US_ASCII);
            if (!name.strip().equals("little")) {
                throw Rlhf4jException.data("%s: has byte order '%s', little is wanted".formatted(origin, name));
            }
        }
    }

    private StoredTensor stored(String name, TorchTensor tensor) {
        ByteRegion region = entries.get(prefix + "data/" + tensor.storage().key());
        if (region == null) {
            throw damaged(
                    name,
                    "lies in storage '%s', which is not in the file"
                            .formatted(tensor.storage().key()));
        }
        TensorInfo info = new TensorInfo(name, tensor.storage().type(), tensor.shape());
        long[] strides = tensor.strides();
        int size = info.type().bytes();
        try {
            long begin = Math.multiplyExact(tensor.offset(), (long) size);
            if (info.elements() == 0) {
                return new StoredTensor(info, region, 0, null);
            }
            boolean repeats = Math.multiplyExact(info.elements(), (long) size) > region.length();
            if (repeats || Math.addExact(begin, StoredTensor.span(info, strides)) > region.length()) {
                throw damaged(
                        name,
                        "of shape %s and strides %s at element %d does not fit into its storage of %d bytes"
                                .formatted(tensor.shape(), Arrays.toString(strides), tensor.offset(), region.length()));
            }
            return new StoredTensor(info, region, begin, isContiguous(tensor.shape(), strides) ? null : strides);
        } catch (ArithmeticException e) {
            throw damaged(name, "has the impossible shape %s".formatted(tensor.shape()));
        }
    }

    private static boolean isContiguous(List<Integer> shape, long[] strides) {
        long expected = 1;
        for (int axis = strides.length - 1; axis >= 0; axis--) {
            if (shape.get(axis) != 1 && strides[axis] != expected) {
                return false;
            }
            expected *= shape.get(axis);
        }
        return true;
    }

    private Rlhf4jException damaged(String tensor, String what) {
        return Rlhf4jException.data("%s: tensor '%s' %s".formatted(origin, tensor, what));
    }

    /** A storage that the pickle refers to: {@code elements} numbers in the entry {@code data/<key>}. */
    record TorchStorage(String key, ElementType type) {}

    /** A view of a storage; offset and strides count elements. */
    record TorchTensor(TorchStorage storage, long offset, List<Integer> shape, long[] strides) {}

    /** Names of the storage classes, with the element types that they hold. */
    static final Map<String, ElementType> STORAGES = new TreeMap<>(Map.of(
            "DoubleStorage", ElementType.F64,
            "FloatStorage", ElementType.F32,
            "HalfStorage", ElementType.F16,
            "BFloat16Storage", ElementType.BF16,
            "LongStorage", ElementType.I64,
            "IntStorage", ElementType.I32,
            "ShortStorage", ElementType.I16,
            "CharStorage", ElementType.I8,
            "ByteStorage", ElementType.U8,
            "BoolStorage", ElementType.BOOL));
}
