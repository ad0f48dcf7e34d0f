package io.rlhf4j.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Sources of rows, their division among the steps, and the limits on a row. */
public record DataConfig(
        @Doc("Where rows come from. Sources of one step are blended by weight.") List<SourceConfig> sources,
        @Doc(
                        value =
                                "Proportions in which a source that serves several steps is divided among sft, reward and ppo,"
                                        + " by a stable hash of (source, row key, seed).",
                        preset = "[2, 4, 4]",
                        range = "[0, inf)")
                List<Double> split,
        @Doc(
                        value =
                                "Whether prompts are put into the model's chat template: `auto` does so where the tokenizer"
                                        + " has one.",
                        preset = "auto")
                ChatUse chat,
        @Doc("System message put before every prompt that goes through the chat template.") Optional<String> system,
        @Doc(value = "Longest prompt, in tokens.", preset = "256", range = "[1, inf)") int maxPromptTokens,
        @Doc(
                        value = "Longest response of a training row, in tokens, its end token included.",
                        preset = "256",
                        range = "[1, inf)")
                int maxResponseTokens,
        @Doc(
                        value =
                                "What happens to a row that is longer: `drop` counts and drops it, `truncate` cuts prompts on"
                                        + " the left and responses on the right, and counts it.",
                        preset = "drop")
                TooLong tooLong,
        @Doc(
                        value =
                                "Share of rows of a source that may be unusable. Above it the job stops before training.",
                        preset = "0.01",
                        range = "[0, 1]")
                double quarantineShare,
        @Doc(
                        value = "Whether the same prompt may stand in the rows trained on and in those held out.",
                        preset = "false")
                boolean allowLeakage)
        implements Checked {
    @Override
    public List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        if (split.size() != Step.values().length
                || split.stream().mapToDouble(Double::doubleValue).sum() <= 0) {
            findings.add(new Finding("split", "has to be three proportions, for sft, reward and ppo, not all 0"));
        }
        List<String> labels = sources.stream().map(SourceConfig::label).toList();
        labels.stream()
                .filter(label -> labels.indexOf(label) != labels.lastIndexOf(label))
                .findFirst()
                .ifPresent(label -> findings.add(
                        new Finding("sources", "has two sources called '%s'; give each a name".formatted(label))));
        return findings;
    }

    /** When prompts go through the chat template. */
    public enum ChatUse {
        /** Where the tokenizer has a template. */
        AUTO,
        /** Always; a tokenizer without a template is an error. */
        ALWAYS,
        /** Never: prompts are the tokens of their text. */
        NEVER
    }

    /** What happens to a row above the limits. */
    public enum TooLong {
        /** It is left out, and counted. */
        DROP,
        /** It is cut, and counted. */
        TRUNCATE
    }
}
