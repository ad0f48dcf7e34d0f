package io.rlhf4j.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Compiles CUDA C for one architecture, once: results are kept in the user's cache folder by architecture, compiler and
 * source, so that the next JVM starts at once.
 */
final class Compiler {
    private final int architecture;
    private final String version;
    private final Path cache;

    /** @param architecture 90 for compute capability 9.0 */
    Compiler(int architecture) {
        this.architecture = architecture;
        int[] major = new int[1];
        int[] minor = new int[1];
        Calls.library(NvrtcApi.nvrtcVersion(major, minor), "nvrtcVersion");
        this.version = major[0] + "." + minor[0];
        this.cache = cacheFolder().resolve("sm_" + architecture + "-cuda-" + version);
        requireKnown();
    }

    private static Path cacheFolder() {
        String base = System.getenv("XDG_CACHE_HOME");
        Path folder =
                base == null || base.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(base);
        return folder.resolve("rlhf4j").resolve("kernels");
    }

    String version() {
        return version;
    }

    private void requireKnown() {
        int[] count = new int[1];
        Calls.library(NvrtcApi.nvrtcGetNumSupportedArchs(count), "nvrtcGetNumSupportedArchs");
        int[] known = new int[count[0]];
        Calls.library(NvrtcApi.nvrtcGetSupportedArchs(known), "nvrtcGetSupportedArchs");
        for (int one : known) {
            if (one == architecture) {
                return;
            }
        }
        throw new Rlhf4jException(
                ErrorKind.CLUSTER,
                "backend 'cuda' cannot run here: the compiler of CUDA %s does not know the GPU's architecture sm_%d; install a newer CUDA"
                        .formatted(version, architecture));
    }

    /** Machine code of a source. */
    byte[] image(String name, String source, List<String> definitions) {
        Path file = cache.resolve(hash(source + definitions) + ".cubin");
        try {
            if (Files.isRegularFile(file)) {
                return Files.readAllBytes(file);
            }
            byte[] image = compile(name, source, definitions);
            keep(file, image);
            return image;
        } catch (IOException e) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "%s: compiled kernels cannot be read there (%s); remove the folder"
                            .formatted(cache, e.getMessage()),
                    e);
        }
    }

    /** Several JVMs may write the same file: each under a name of its own first. A folder that is not writable costs time. */
    private void keep(Path file, byte... image) {
        try {
            Files.createDirectories(cache);
            Path temporary = Files.createTempFile(cache, "kernel", ".part");
            Files.write(temporary, image);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException notWritable) {
            System.getLogger(Compiler.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "compiled kernels cannot be kept in {0}: {1}",
                            cache,
                            notWritable);
        }
    }

    private byte[] compile(String name, String source, List<String> definitions) {
        long[] program = new long[1];
        Calls.library(NvrtcApi.nvrtcCreateProgram(program, source, name, 0, 0, 0), "nvrtcCreateProgram");
        List<String> options = new ArrayList<>(
                List.of("--gpu-architecture=sm_" + architecture, "--std=c++17", "--device-as-default-execution-space"));
        definitions.forEach(definition -> options.add("--define-macro=" + definition));
        List<Memory> texts = options.stream().map(Compiler::text).toList();
        Memory list = new Memory(8L * texts.size());
        for (int i = 0; i < texts.size(); i++) {
            list.setPointer(8L * i, texts.get(i));
        }
        int result = NvrtcApi.nvrtcCompileProgram(program[0], texts.size(), Pointer.nativeValue(list));
        if (result != 0) {
            throw new IllegalStateException("%s does not compile for sm_%d with CUDA %s:%n%s"
                    .formatted(name, architecture, version, log(program[0])));
        }
        long[] bytes = new long[1];
        Calls.library(NvrtcApi.nvrtcGetCUBINSize(program[0], bytes), "nvrtcGetCUBINSize");
        byte[] image = new byte[Math.toIntExact(bytes[0])];
        Calls.library(NvrtcApi.nvrtcGetCUBIN(program[0], image), "nvrtcGetCUBIN");
        Calls.library(NvrtcApi.nvrtcDestroyProgram(program), "nvrtcDestroyProgram");
        return image;
    }

    private static Memory text(String option) {
        Memory memory = new Memory(option.length() + 1L);
        memory.setString(0, option);
        return memory;
    }

    private static String log(long program) {
        long[] bytes = new long[1];
        Calls.library(NvrtcApi.nvrtcGetProgramLogSize(program, bytes), "nvrtcGetProgramLogSize");
        byte[] log = new byte[Math.toIntExact(bytes[0])];
        Calls.library(NvrtcApi.nvrtcGetProgramLog(program, log), "nvrtcGetProgramLog");
        return new String(log, StandardCharsets.UTF_8);
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
