package io.rlhf4j.generation;

import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.PackedWeights;
import io.rlhf4j.tensor.Scope;
import java.util.List;

/**
 * Samples responses from a model. What a sample becomes depends on the weights, its prompt, its random stream and the
 * settings, not on the requests beside it (up to the rounding of matrix products of another height).
 */
public final class Generator {
    private final CausalLanguageModel model;
    private final SamplingConfig settings;
    private final int[] eosIds;
    private final StopTexts stopTexts;

    /**
     * @param eosIds tokens that end a sample; may be empty
     * @param stopTexts texts that end a sample
     */
    public Generator(CausalLanguageModel model, SamplingConfig settings, int[] eosIds, StopTexts stopTexts) {
        this.model = model;
        this.settings = settings;
        this.eosIds = eosIds.clone();
        this.stopTexts = stopTexts;
    }

    /** Samples all requests. */
    public List<List<Generation>> generate(Scope scope, List<GenerationRequest> requests) {
        return generate(scope, requests, TokenListener.NONE);
    }

    /**
     * Samples all requests.
     *
     * @param scope holds cache and buffers while this runs; nothing of it is left afterwards
     * @param listener is told every token
     * @return the samples of each request, in the order of its streams
     * @throws Rlhf4jException of kind DATA when a prompt leaves no room for a token in the model's context
     */
    public List<List<Generation>> generate(Scope scope, List<GenerationRequest> requests, TokenListener listener) {
        int context = context(model);
        for (GenerationRequest request : requests) {
            if (request.promptIds().length >= context) {
                throw Rlhf4jException.data(
                        "a prompt of %d tokens leaves no room in the model's context of %d; shorten it"
                                .formatted(request.promptIds().length, context));
            }
        }
        try (Scope work = scope.child("generate");
                PackedWeights packed = model.pack(work, settings.weights())) {
            return new GenerationBatch(work, model, settings, eosIds, stopTexts, requests, listener).run();
        }
    }

    /** The longest sequence that the model is made for. */
    static int context(CausalLanguageModel model) {
        int limit = model.config().maxPositions();
        return limit == 0 ? Integer.MAX_VALUE : limit;
    }
}
