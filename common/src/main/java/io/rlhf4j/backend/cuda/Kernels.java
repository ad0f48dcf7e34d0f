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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The kernels of this package's resources on one device, each file compiled when one of its kernels is first asked for. */
final class Kernels {
    private static final Pattern INCLUDE = Pattern.compile("^#include \"(\\w+\\.cuh)\"$", Pattern.MULTILINE);

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
            known = get(file, name, List.of());
            plain.put(name, known);
        }
        return known;
    }

    /**
     * Kernel {@code name} of {@code file.cu}.
     *
     * @param definitions {@code NAME} or {@code NAME=VALUE} for the preprocessor
     */
    Kernel get(String file, String name, List<String> definitions) {
        return kernels.computeIfAbsent(name + definitions, key -> {
            long module = modules.computeIfAbsent(file + definitions, unused -> load(file, definitions));
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

    private long load(String file, List<String> definitions) {
        String source = resource("types.cuh") + included(resource(file + ".cu"));
        byte[] image = compiler.image(file + ".cu", source, definitions);
        long[] module = new long[1];
        Calls.driver(DriverApi.cuModuleLoadData(module, image), "cuModuleLoadData " + file);
        return module[0];
    }

    /** The text with the headers that it names in their places: what is cached is known by all of it. */
    private static String included(String text) {
        return INCLUDE.matcher(text).replaceAll(line -> Matcher.quoteReplacement(resource(line.group(1))));
    }

    private static String resource(String name) {
        try (InputStream in = Kernels.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
