package io.rlhf4j.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The kernels of this package's resources on one device, each file compiled when one of its kernels is first asked for. */
final class Kernels {
    private final Compiler compiler;
    private final int mostSharedBytes;
    private final Map<String, Long> modules = new HashMap<>();
    private final Map<String, Kernel> kernels = new HashMap<>();
    private final Map<String, Kernel> plain = new HashMap<>();
    private final Set<Kernel> allowed = new HashSet<>();

    Kernels(Device device) {
        this.compiler = new Compiler(device.architecture());
        this.mostSharedBytes = device.sharedBytes();
    }

    /** The compiler's version, as {@code 13.0}. */
    String compilerVersion() {
        return compiler.version();
    }

    /** Kernel {@code name} of a file without further definitions. */
    Kernel get(String file, String name) {
        Kernel known = plain.get(name);
        if (known == null) {
            known = get(file, name, List.of(), List.of());
            plain.put(name, known);
        }
        return known;
    }

    /**
     * Kernel {@code name} of {@code file.cu}.
     *
     * @param headers put before it, behind what all have in common
     * @param definitions {@code NAME} or {@code NAME=VALUE} for the preprocessor
     */
    Kernel get(String file, String name, List<String> headers, List<String> definitions) {
        return kernels.computeIfAbsent(name + definitions, key -> {
            long module = modules.computeIfAbsent(file + definitions, unused -> load(file, headers, definitions));
            long[] function = new long[1];
            Calls.driver(DriverApi.cuModuleGetFunction(function, module, name), "cuModuleGetFunction " + name);
            return new Kernel(name, function[0]);
        });
    }

    /** Lets a kernel use as much shared memory as a block can have. */
    void allowSharedBytes(Kernel kernel, int bytes) {
        if (bytes > mostSharedBytes) {
            throw new IllegalArgumentException("%s needs %d bytes of shared memory, a block of this GPU has %d"
                    .formatted(kernel.name(), bytes, mostSharedBytes));
        }
        if (allowed.add(kernel)) {
            Calls.driver(
                    DriverApi.cuFuncSetAttribute(kernel.function(), DriverApi.FUNCTION_SHARED_BYTES, mostSharedBytes),
                    "cuFuncSetAttribute " + kernel.name());
        }
    }

    private long load(String file, List<String> headers, List<String> definitions) {
        StringBuilder source = new StringBuilder(resource("types.cuh"));
        headers.forEach(header -> source.append(resource(header)));
        source.append(resource(file + ".cu"));
        byte[] image = compiler.image(file + ".cu", source.toString(), definitions);
        long[] module = new long[1];
        Calls.driver(DriverApi.cuModuleLoadData(module, image), "cuModuleLoadData " + file);
        return module[0];
    }

    private static String resource(String name) {
        try (InputStream in = Kernels.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
