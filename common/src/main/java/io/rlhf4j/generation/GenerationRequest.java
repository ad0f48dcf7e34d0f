package io.rlhf4j.generation;

import io.rlhf4j.sampling.RandomStream;
import java.util.List;

/**
 * One prompt, and a random stream for each sample wanted of it. All samples share the prompt's keys and values.
 *
 * @param promptIds the prompt, at least one token
 * @param streams number i of a stream chooses the sample's token i
 */
public record GenerationRequest(int[] promptIds, List<RandomStream> streams) {
    public GenerationRequest {
        if (promptIds.length == 0) {
            throw new IllegalArgumentException("a prompt has at least one token");
        }
        streams = List.copyOf(streams);
    }

    /** One sample of a prompt. */
    public static GenerationRequest of(int[] promptIds, RandomStream stream) {
        return new GenerationRequest(promptIds, List.of(stream));
    }
}
