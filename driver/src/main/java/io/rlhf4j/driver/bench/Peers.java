package io.rlhf4j.driver.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.error.Rlhf4jException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A folder of scripts that measure other systems on this machine, each in a process of its own.
 *
 * @param folder with the scripts
 * @param python that runs them
 */
public record Peers(Path folder, String python) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Starts what follows from a shell: a process that the JVM starts itself begins with the JVM's peak of memory as its
     * own, and reports that where it needs less.
     */
    private static final List<String> BY_SHELL = List.of("sh", "-c", "\"$@\"; exit $?", "sh");

    /** What a shell ends with where there is no such command, or it cannot be run. */
    private static final Set<Integer> NOT_STARTED = Set.of(126, 127);

    /**
     * The measurement that a script prints. Where it fails, which some systems do on some processors, a line that says so
     * with the last words of the script.
     */
    public Map<String, Object> measure(PeerScript script) throws IOException, InterruptedException {
        Path file = folder.resolve(script.file());
        if (!Files.isRegularFile(file)) {
            throw Rlhf4jException.configuration(
                    "there is no peer script %s; --peers names the folder of the scripts".formatted(file));
        }
        List<String> command = new ArrayList<>(List.of(script.python().orElse(python), script.file()));
        command.addAll(script.arguments());
        Path errors = Files.createTempFile("rlhf4j-peer", ".log");
        try {
            Process process = start(command, errors);
            try {
                String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                int status = process.waitFor();
                if (NOT_STARTED.contains(status)) {
                    throw Rlhf4jException.configuration(
                            "'%s' cannot be started (%s); --peer-python names the Python that has the peers' packages"
                                    .formatted(command.get(0), lastLine(errors)));
                }
                Optional<Map<String, Object>> measured = status == 0 ? lastMeasurement(printed) : Optional.empty();
                return measured.orElse(Map.of("failed", script.toString(), "said", lastLine(errors)));
            } finally {
                process.descendants().forEach(ProcessHandle::destroy);
                process.destroy();
            }
        } finally {
            Files.delete(errors);
        }
    }

    private Process start(List<String> command, Path errors) throws IOException {
        List<String> byShell = new ArrayList<>(BY_SHELL);
        byShell.addAll(command);
        return new ProcessBuilder(byShell)
                .directory(folder.toFile())
                .redirectError(errors.toFile())
                .start();
    }

    private static String lastLine(Path errors) throws IOException {
        String all = new String(Files.readAllBytes(errors), StandardCharsets.UTF_8).strip();
        return all.substring(all.lastIndexOf('\n') + 1);
    }

    private static Optional<Map<String, Object>> lastMeasurement(String printed) {
        Optional<Map<String, Object>> last = Optional.empty();
        for (String line : printed.lines().filter(text -> text.startsWith("{")).toList()) {
            try {
                last = Optional.of(JSON.readValue(line, new TypeReference<Map<String, Object>>() {}));
            } catch (JsonProcessingException e) {
                throw Rlhf4jException.data("a peer script printed what is no JSON: " + line);
            }
        }
        return last;
    }
}
