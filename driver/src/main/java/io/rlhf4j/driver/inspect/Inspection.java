package io.rlhf4j.driver.inspect;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.Step;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorInfo;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.hub.ModelDescription;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.run.MetricsRow;
import io.rlhf4j.run.RunFolder;
import io.rlhf4j.run.RunManifest;
import io.rlhf4j.run.RunStatus;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Tells a model directory, a checkpoint and a run's folder apart, and describes each. */
public final class Inspection {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Configuration hadoop;

    public Inspection(Configuration hadoop) {
        this.hadoop = hadoop;
    }

    /**
     * What lies in {@code folder}, line by line.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where it is none of the three
     */
    public List<String> lines(Path folder) throws IOException {
        FileSystem system = folder.getFileSystem(hadoop);
        if (!system.exists(folder)) {
            throw Rlhf4jException.configuration("there is no folder '%s'".formatted(folder));
        }
        if (system.exists(new Path(folder, "config.json"))) {
            return model(folder);
        }
        if (system.exists(new RunFolder(folder, hadoop).config())) {
            return run(new RunFolder(folder, hadoop), system);
        }
        if (system.exists(new Path(folder, "manifest.json")) && system.exists(new Path(folder, "state.json"))) {
            return checkpoint(folder);
        }
        throw Rlhf4jException.configuration(
                "'%s' is no model directory (config.json), no checkpoint (manifest.json, state.json) and no run (config.yaml)"
                        .formatted(folder));
    }

    private List<String> model(Path folder) throws IOException {
        ModelDescription model = new ModelDirectory(hadoop).describe(folder);
        List<String> lines = new ArrayList<>();
        lines.add("model directory " + folder);
        lines.add("  family        %s, %s"
                .formatted(model.modelType(), model.scoreModel() ? "score model" : "causal language model"));
        lines.add("  vocabulary    %d".formatted(model.config().vocabSize()));
        lines.add("  shape         %d layers, %d wide, %d heads, %d key/value heads"
                .formatted(
                        model.config().layers(),
                        model.config().hiddenSize(),
                        model.config().attention().heads(),
                        model.config().attention().kvHeads()));
        int context = model.config().maxPositions();
        lines.add("  context       " + (context == 0 ? "not said" : context + " tokens"));
        lines.add("  parameters    %,d".formatted(model.parameters()));
        try (TensorReader weights = new TensorFiles(hadoop).openModel(folder)) {
            long bytes = 0;
            Map<String, Integer> types = new TreeMap<>();
            for (TensorInfo tensor : weights.tensors().values()) {
                bytes += tensor.elements() * tensor.type().bytes();
                types.merge(tensor.type().name().toLowerCase(Locale.ROOT), 1, Integer::sum);
            }
            lines.add("  weights       %d tensors, %s, %,d bytes"
                    .formatted(weights.tensors().size(), types, bytes));
        }
        FileSystem system = folder.getFileSystem(hadoop);
        for (String file :
                List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja")) {
            lines.add("  %-23s %s".formatted(file, system.exists(new Path(folder, file)) ? "there" : "-"));
        }
        return lines;
    }

    private List<String> run(RunFolder folder, FileSystem system) throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add("run " + folder.root());
        Optional<RunStatus> status = folder.readStatus();
        status.ifPresent(value -> lines.add("  status        %s, %s, exit code %d, %s %s"
                .formatted(
                        value.state().name().toLowerCase(Locale.ROOT),
                        value.command(),
                        value.exitCode(),
                        value.updated(),
                        value.message())));
        Optional<RunManifest> manifest = folder.readManifest();
        manifest.ifPresent(value -> {
            lines.add("  begun         " + value.created());
            value.identity().facts().forEach((fact, is) -> {
                if (fact.startsWith("files of ")) {
                    lines.add("  %s: %s".formatted(fact, is));
                }
            });
            value.changes().forEach(change -> lines.add("  changed       " + change));
        });
        for (Step step : Step.values()) {
            List<String> checkpoints = names(system, folder.checkpoints(step));
            if (!checkpoints.isEmpty()) {
                lines.add("  %-13s checkpoints %s".formatted(step.key(), String.join(", ", checkpoints)));
            }
        }
        List<String> exports = names(system, new Path(folder.root(), "export"));
        if (!exports.isEmpty()) {
            lines.add("  exports       " + String.join(", ", exports));
        }
        newest(folder)
                .values()
                .forEach(row -> lines.add(
                        "  %s %s at %d: %s".formatted(row.step().key(), row.series(), row.position(), row.values())));
        return lines;
    }

    /** The last row of each step and series. */
    private static Map<String, MetricsRow> newest(RunFolder folder) throws IOException {
        Map<String, MetricsRow> newest = new LinkedHashMap<>();
        folder.openMetrics().rows().forEach(row -> newest.put(row.step() + row.series(), row));
        return newest;
    }

    private List<String> checkpoint(Path folder) throws IOException {
        JsonNode manifest = json(new Path(folder, "manifest.json"));
        List<String> lines = new ArrayList<>();
        lines.add("checkpoint " + folder);
        lines.add("  step          " + manifest.path("step").asLong());
        lines.add("  written       " + manifest.path("written").asText());
        lines.add("  versions      " + manifest.path("versions"));
        for (JsonNode file : manifest.path("files")) {
            lines.add("  file          %s, %,d bytes"
                    .formatted(file.path("name").asText(), file.path("bytes").asLong()));
        }
        return lines;
    }

    private JsonNode json(Path file) throws IOException {
        try (InputStream stream = file.getFileSystem(hadoop).open(file)) {
            return JSON.readTree(stream);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw Rlhf4jException.data("%s: is no JSON: %s".formatted(file, e.getOriginalMessage()), e);
        }
    }

    private static List<String> names(FileSystem system, Path folder) throws IOException {
        try {
            return Arrays.stream(system.listStatus(folder))
                    .map(FileStatus::getPath)
                    .map(Path::getName)
                    .sorted()
                    .toList();
        } catch (FileNotFoundException e) {
            return List.of();
        }
    }
}
