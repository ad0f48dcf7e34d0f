package io.rlhf4j.driver.pipeline;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rlhf4j.config.Step;
import io.rlhf4j.data.EvaluatedAnswer;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.run.RunFolder;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/** Answers to the same few held-out prompts, kept in the run's folder at every evaluation. */
public final class EvaluatedAnswers {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern NAME = Pattern.compile("([a-z]+)-(\\d{8})\\.json");

    private final RunFolder folder;
    private final Configuration hadoop;

    /** Those of a run. */
    public EvaluatedAnswers(RunFolder folder, Configuration hadoop) {
        this.folder = folder;
        this.hadoop = hadoop;
    }

    /**
     * Keeps {@code count} of the answers, drawn evenly.
     *
     * @param position steps or iterations before the evaluation
     */
    void keep(Step step, long position, List<EvaluatedAnswer> answers, int count) throws IOException {
        List<EvaluatedAnswer> sorted = answers.stream()
                .sorted(Comparator.comparing(EvaluatedAnswer::source).thenComparing(EvaluatedAnswer::key))
                .toList();
        int kept = Math.min(count, sorted.size());
        List<EvaluatedAnswer> drawn = new ArrayList<>();
        for (int i = 0; i < kept; i++) {
            drawn.add(sorted.get((int) ((long) i * sorted.size() / kept)));
        }
        folder.files()
                .write(
                        folder.answers(step, position),
                        JSON.writerWithDefaultPrettyPrinter().writeValueAsString(drawn));
    }

    /** What is kept of a step, by position. */
    public SortedMap<Long, List<EvaluatedAnswer>> of(Step step) throws IOException {
        SortedMap<Long, List<EvaluatedAnswer>> kept = new TreeMap<>();
        for (FileStatus file : listing(folder.answers(step, 0).getParent())) {
            Matcher name = NAME.matcher(file.getPath().getName());
            if (name.matches() && name.group(1).equals(step.key())) {
                String text = folder.files().read(file.getPath()).orElse("[]");
                kept.put(Long.parseLong(name.group(2)), JSON.readValue(text, new TypeReference<>() {}));
            }
        }
        return kept;
    }

    private FileStatus[] listing(Path path) throws IOException {
        try {
            return PlainFiles.fileSystem(path, hadoop).listStatus(path);
        } catch (FileNotFoundException none) {
            return new FileStatus[0];
        }
    }
}
