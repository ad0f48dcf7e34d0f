package io.rlhf4j.data;

/** A row that a trainer can use. */
public sealed interface TokenRow permits TrainingRow, PreferenceRow, PromptRow, Rollout {
    /** The row's stable name within its source. */
    String key();

    /** The source's name, for metrics by source. */
    String source();

    /** How many tokens a forward pass over it sees. */
    int tokens();
}
