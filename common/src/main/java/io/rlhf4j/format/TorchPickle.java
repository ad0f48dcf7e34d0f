package io.rlhf4j.format;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.TorchFile.TorchStorage;
import io.rlhf4j.format.TorchFile.TorchTensor;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the pickle of a state dict. A pickle is a program for a stack machine that may call any function of Python; this
 * machine has no functions but the four that dictionaries of tensors need, and refuses a pickle that names another.
 *
 * <p>Values on the stack: Map, List, {@link Tuple}, String, Long, Double, Boolean, null, {@link TorchGlobal}, and the results
 * {@link TorchStorage} and {@link TorchTensor}. Opcodes are those of protocols 2 to 4 (Python's pickletools names them).
 */
final class TorchPickle {
    private final String origin;
    private final ByteBuffer program;
    private final List<Object> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();

    TorchPickle(String origin, byte[] program) {
        this.origin = origin;
        this.program = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
    }

    private record Tuple(List<Object> items) {}

    private static final Map<String, TorchGlobal> GLOBALS = TorchGlobal.all();

    /** Runs the program; its result. */
    Object load() {
        try {
            while (true) {
                int opcode = program.get() & 0xff;
                if (opcode == '.') {
                    return pop();
                }
                execute(opcode);
            }
        } catch (BufferUnderflowException e) {
            throw Rlhf4jException.data(origin + ": ends in the middle; is the file damaged?", e);
        }
    }

    private void execute(int opcode) {
        switch (opcode) {
            case 0x80 -> requireProtocol(program.get());
            case 0x95 -> program.getLong(); // a frame's length: nothing that a reader of the whole needs
            case '(' -> marks.add(stack.size());
            case '}' -> push(new LinkedHashMap<>());
            case ']' -> push(new ArrayList<>());
            case ')' -> push(new Tuple(List.of()));
            case 'N' -> push(null);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'J' -> push((long) program.getInt());
            case 'K' -> push(program.get() & 0xffL);
            case 'M' -> push(program.getShort() & 0xffffL);
            case 0x8a -> push(longOf(program.get() & 0xff));
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(program.getLong())));
            case 'X' -> push(text(program.getInt()));
            case 0x8c -> push(text(program.get() & 0xff));
            case 't' -> push(new Tuple(popToMark()));
            case 0x85, 0x86, 0x87 -> push(new Tuple(popLast(opcode - 0x84)));
            case 'q' -> memo.put(program.get() & 0xff, top());
            case 'r' -> memo.put(program.getInt(), top());
            case 0x94 -> memo.put(memo.size(), top());
            case 'h' -> push(remembered(program.get() & 0xff));
            case 'j' -> push(remembered(program.getInt()));
            case 'a' -> {
                Object item = pop();
                expect(List.class, top(), "append").add(item);
            }
            case 'e' -> {
                List<Object> items = popToMark();
                expect(List.class, top(), "extend").addAll(items);
            }
            case 's' -> setItems(popLast(2));
            case 'u' -> setItems(popToMark());
            case 'c' -> push(global(line(), line()));
            case 0x93 -> {
                List<Object> names = popLast(2);
                push(global(
                        expect(String.class, names.get(0), "global"), expect(String.class, names.get(1), "global")));
            }
            case 'Q' -> push(storage(expect(Tuple.class, pop(), "persistent id").items()));
            case 'R' -> {
                List<Object> arguments = expect(Tuple.class, pop(), "reduce").items();
                push(call(expect(TorchGlobal.class, pop(), "reduce"), arguments));
            }
            case 'b' -> {
                expect(
                        Map.class, pop(),
                        "build"); // an OrderedDict's _metadata: versions of modules, which no tensor needs
                expect(Map.class, top(), "build");
            }
            default -> throw refused("the operation 0x%02x".formatted(opcode));
        }
    }

    private Object call(TorchGlobal function, List<Object> arguments) {
        return switch (function.name()) {
            case "collections.OrderedDict" -> orderedDict(arguments);
            case "torch._utils._rebuild_tensor_v2" -> tensor(arguments);
            case "torch._utils._rebuild_parameter" -> {
                requireArguments(function.name(), arguments, 3);
                yield expect(TorchTensor.class, arguments.get(0), function.name());
            }
            default -> throw refused("a call of " + function.name());
        };
    }

    private Map<Object, Object> orderedDict(List<Object> arguments) {
        Map<Object, Object> dictionary = new LinkedHashMap<>();
        if (!arguments.isEmpty()) {
            for (Object pair : expect(List.class, arguments.get(0), "OrderedDict")) {
                List<Object> entry = pair instanceof Tuple tuple ? tuple.items() : objects(pair);
                requireArguments("an entry of OrderedDict", entry, 2);
                put(dictionary, entry.get(0), entry.get(1));
            }
        }
        return dictionary;
    }

    private List<Object> objects(Object list) {
        List<Object> items = new ArrayList<>();
        expect(List.class, list, "OrderedDict").forEach(items::add);
        return items;
    }

    /** Arguments: storage, offset, size, strides, requires_grad, hooks. */
    private TorchTensor tensor(List<Object> arguments) {
        requireArguments("_rebuild_tensor_v2", arguments, 6);
        TorchStorage storage = expect(TorchStorage.class, arguments.get(0), "_rebuild_tensor_v2");
        long offset = natural(arguments.get(1), "an offset");
        long[] shape = naturals(arguments.get(2), "a shape");
        long[] strides = naturals(arguments.get(3), "strides");
        if (shape.length != strides.length || Arrays.stream(shape).anyMatch(length -> length > Integer.MAX_VALUE)) {
            throw damaged("shape %s with strides %s".formatted(Arrays.toString(shape), Arrays.toString(strides)));
        }
        List<Integer> lengths =
                Arrays.stream(shape).mapToObj(length -> (int) length).toList();
        return new TorchTensor(storage, offset, lengths, strides);
    }

    /** A storage as PyTorch refers to it: ('storage', class, key, device, elements). */
    private TorchStorage storage(List<Object> id) {
        if (id.size() != 5
                || !"storage".equals(id.get(0))
                || !(id.get(1) instanceof TorchGlobal storage)
                || storage.storage() == null
                || !(id.get(2) instanceof String key)) {
            throw refused("a reference to something that is no storage");
        }
        return new TorchStorage(key, storage.storage());
    }

    private TorchGlobal global(String module, String name) {
        TorchGlobal global = GLOBALS.get(module + "." + name);
        if (global == null) {
            throw refused(module + "." + name);
        }
        return global;
    }

    private void setItems(List<Object> items) {
        if (items.size() % 2 != 0) {
            throw damaged("a key without a value");
        }
        Map<?, ?> dictionary = expect(Map.class, top(), "setitem");
        for (int i = 0; i < items.size(); i += 2) {
            put(dictionary, items.get(i), items.get(i + 1));
        }
    }

    @SuppressWarnings("unchecked") // every Map on the stack was made here, as Map<Object, Object>
    private void put(Map<?, ?> dictionary, Object key, Object value) {
        if (!(key instanceof String) && !(key instanceof Long)) {
            throw refused("a dictionary key that is neither text nor a number");
        }
        ((Map<Object, Object>) dictionary).put(key, value);
    }

    private long[] naturals(Object tuple, String what) {
        return expect(Tuple.class, tuple, what).items().stream()
                .mapToLong(item -> natural(item, what))
                .toArray();
    }

    private long natural(Object value, String what) {
        if (!(value instanceof Long number) || number < 0) {
            throw damaged("%s of %s".formatted(what, value instanceof Long ? value : "another type"));
        }
        return number;
    }

    private void requireArguments(String function, List<Object> arguments, int atLeast) {
        if (arguments.size() < atLeast) {
            throw damaged("%s with %d arguments".formatted(function, arguments.size()));
        }
    }

    private void requireProtocol(int protocol) {
        if (protocol < 2 || protocol > 5) {
            throw refused("pickle protocol " + protocol);
        }
    }

    private long longOf(int bytes) {
        if (bytes > Long.BYTES) {
            throw refused("an integer of %d bytes".formatted(bytes));
        }
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (program.get() & 0xffL) << (8 * i);
        }
        int unused = 64 - 8 * bytes;
        return bytes == 0 ? 0 : value << unused >> unused;
    }

    private String text(int length) {
        if (length < 0 || length > program.remaining()) {
            throw new BufferUnderflowException();
        }
        String text = new String(program.array(), program.position(), length, StandardCharsets.UTF_8);
        program.position(program.position() + length);
        return text;
    }

    private String line() {
        int begin = program.position();
        while (program.get() != '\n') {
            // goes on to the end of the line
        }
        return new String(program.array(), begin, program.position() - 1 - begin, StandardCharsets.UTF_8);
    }

    private void push(Object value) {
        stack.add(value);
    }

    private int bottom() {
        return marks.isEmpty() ? 0 : marks.get(marks.size() - 1);
    }

    private Object top() {
        if (stack.size() <= bottom()) {
            throw damaged("an empty stack");
        }
        return stack.get(stack.size() - 1);
    }

    private Object pop() {
        Object top = top();
        stack.remove(stack.size() - 1);
        return top;
    }

    private List<Object> popLast(int count) {
        if (stack.size() - count < bottom()) {
            throw damaged("an empty stack");
        }
        List<Object> last = stack.subList(stack.size() - count, stack.size());
        List<Object> items = new ArrayList<>(last);
        last.clear();
        return items;
    }

    private List<Object> popToMark() {
        if (marks.isEmpty()) {
            throw damaged("no mark");
        }
        List<Object> items = popLast(stack.size() - bottom());
        marks.remove(marks.size() - 1);
        return items;
    }

    private Object remembered(int index) {
        if (!memo.containsKey(index)) {
            throw damaged("no remembered value " + index);
        }
        return memo.get(index);
    }

    private <T> T expect(Class<T> type, Object value, String where) {
        if (!type.isInstance(value)) {
            throw damaged("%s finds %s where it needs %s"
                    .formatted(where, value == null ? "None" : value.getClass().getSimpleName(), type.getSimpleName()));
        }
        return type.cast(value);
    }

    private Rlhf4jException refused(String what) {
        return Rlhf4jException.data(
                "%s: refused: it contains %s (byte %d). Only dictionaries of plain tensors are read, since a pickle can run any program; save model.state_dict(), or use safetensors"
                        .formatted(origin, what, program.position()));
    }

    private Rlhf4jException damaged(String what) {
        return Rlhf4jException.data("%s: is damaged: %s at byte %d".formatted(origin, what, program.position()));
    }
}
