package io.rlhf4j.generation;

import io.rlhf4j.sampling.RandomStream;
import java.util.List;

/**
 * One prompt, and a random stream for each sample wanted of it. All samples share the prompt's keys and values.
 *
 * @param promptIds the prompt, at least one token
 * @param streams number i of a stream chooses the sample's token i
 * @param mostTokens of each sample; the settings' {@code max_new_tokens} holds beside it
 */
public record GenerationRequest(int[] promptIds, List<RandomStream> streams, int mostTokens) {
    public GenerationRequest {
        if (promptIds.length == 0) {
            throw new IllegalArgumentException("a prompt has at least one token");
        }
        if (mostTokens < 1) {
            throw new IllegalArgumentException("a sample has at least one token, mostTokens is " + mostTokens);
        }
        streams = List.copyOf(streams);
    }

    /** Samples that are as long as the settings allow. */
    public GenerationRequest(int[] promptIds, List<RandomStream> streams) {
        this(promptIds, streams, Integer.MAX_VALUE);
    }

    /** One sample of a prompt. */
    public static GenerationRequest of(int[] promptIds, RandomStream stream) {
        return new GenerationRequest(promptIds, List.of(stream));
    }

    /** The same request for samples of at most so many tokens. */
    public GenerationRequest withMostTokens(int most) {
        return new GenerationRequest(promptIds, streams, most);
    }
}
