package io.rlhf4j.workers.rollout;

import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.generation.Generation;
import io.rlhf4j.generation.GenerationRequest;
import io.rlhf4j.generation.Generator;
import io.rlhf4j.generation.StopTexts;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Samples answers from the actor. A pure function of weights, prompts and seeds: whoever computes it, wherever and however
 * often, it comes out the same.
 */
public final class AnswerSampler {
    private final CausalLanguageModel generator;
    private final Tokenizer tokenizer;
    private final int[] eosIds;
    private final PpoConfig settings;
    private final long seed;
    private final Scope scope;

    /**
     * A sampler.
     *
     * @param generator the actor in the type that generation computes in
     * @param eosIds tokens that end an answer
     * @param seed of the run
     * @param scope for caches and activations
     */
    public AnswerSampler(
            CausalLanguageModel generator,
            Tokenizer tokenizer,
            int[] eosIds,
            PpoConfig settings,
            long seed,
            Scope scope) {
        if (settings.sampling().greedy()) {
            throw Rlhf4jException.configuration("ppo.sampling.temperature is 0: answers that are always the same"
                    + " explore nothing; set it above 0 (1 is usual)");
        }
        this.generator = generator;
        this.tokenizer = tokenizer;
        this.eosIds = eosIds.clone();
        this.settings = settings;
        this.seed = seed;
        this.scope = scope;
    }

    /**
     * Answers to some prompts, in their order.
     *
     * @param weightsVersion of the actor, for the rows
     */
    public List<SampledAnswer> sample(long iteration, List<PromptRow> prompts, long weightsVersion) {
        RandomStream stream = RandomStream.of(seed).at("rollout").at(iteration);
        List<GenerationRequest> requests = prompts.stream()
                .map(prompt -> new GenerationRequest(
                        prompt.ids(),
                        IntStream.range(0, settings.samples())
                                .mapToObj(sample -> stream.at(prompt.source())
                                        .at(prompt.key())
                                        .at(sample))
                                .toList()))
                .toList();
        StopTexts stopTexts = new StopTexts(settings.sampling().stop(), () -> tokenizer.streamingDecoder(true));
        List<List<Generation>> generations =
                new Generator(generator, settings.sampling(), eosIds, stopTexts).generate(scope, requests);
        List<SampledAnswer> answers = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            for (int sample = 0; sample < settings.samples(); sample++) {
                PromptRow prompt = prompts.get(i);
                Generation generation = generations.get(i).get(sample);
                answers.add(new SampledAnswer(prompt, unscored(prompt, sample, generation, weightsVersion)));
            }
        }
        return answers;
    }

    private static Rollout unscored(PromptRow prompt, int sample, Generation generation, long weightsVersion) {
        int length = generation.ids().length;
        boolean[] mask = new boolean[length];
        Arrays.fill(mask, true);
        return new Rollout(
                prompt.key(),
                prompt.source(),
                sample,
                prompt.ids(),
                generation.ids(),
                mask,
                generation.logProbs(),
                new float[length],
                new float[length],
                new float[length],
                0,
                Map.of(),
                new float[length],
                new float[length],
                new float[length],
                weightsVersion,
                switch (generation.finishReason()) {
                    case EOS -> Rollout.Finish.EOS;
                    case STOP -> Rollout.Finish.STOP;
                    case LENGTH -> Rollout.Finish.LENGTH;
                });
    }
}
