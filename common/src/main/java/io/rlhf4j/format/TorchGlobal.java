package io.rlhf4j.format;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Something that a pickle of tensors may name; nothing else is ever looked up.
 *
 * @param name module and name
 * @param storage element type of a storage class, else null
 */
record TorchGlobal(String name, ElementType storage) {
    /** All of them, by name. */
    static Map<String, TorchGlobal> all() {
        Map<String, TorchGlobal> globals = new HashMap<>();
        for (String name : List.of(
                "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter")) {
            globals.put(name, new TorchGlobal(name, null));
        }
        TorchFile.STORAGES.forEach(
                (name, type) -> globals.put("torch." + name, new TorchGlobal("torch." + name, type)));
        return Map.copyOf(globals);
    }
}
