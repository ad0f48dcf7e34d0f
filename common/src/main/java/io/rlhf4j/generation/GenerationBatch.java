package io.rlhf4j.generation;

import io.rlhf4j.config.SamplingConfig;
import io.rlhf4j.model.CachedSequence;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.KvCache;
import io.rlhf4j.sampling.TokenSampler;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.stream.IntStream;

/**
 * One run over a list of requests. Each step extends every sample by its last token and some waiting prompts by a chunk of
 * theirs, in one pass over the weights; samples whose logits are then known choose their next token.
 */
final class GenerationBatch {
    private static final int BLOCK_SIZE = 16;
    /** Prompt tokens of a step beside samples: enough to keep matrix products busy, few enough not to hold these up. */
    private static final int PROMPT_CHUNK = 512;

    private final Scope work;
    private final CausalLanguageModel model;
    private final SamplingConfig settings;
    private final int[] eosIds;
    private final StopTexts stopTexts;
    private final List<GenerationRequest> requests;
    private final TokenListener listener;
    /** As many as work side by side: each has a row's scores to itself. */
    private final List<TokenSampler> samplers = new ArrayList<>();

    private final boolean plain;
    private final KvCache cache;
    private final Tensor logits;
    private final DecodingSteps decodingSteps;
    private final float[] hostLogits;
    private final Queue<Prompt> waiting = new ArrayDeque<>();
    private final List<Prompt> entering = new ArrayList<>();
    private final List<Sample> running = new ArrayList<>();
    private final List<List<Generation>> results = new ArrayList<>();
    private final int mostRows;
    private final int totalBlocks;
    private int reservedBlocks;

    /** A prompt on its way into the cache. */
    private static final class Prompt {
        private final int request;
        private final int[] ids;
        private CachedSequence sequence;
        private int entered;

        Prompt(int request, int[] ids) {
            this.request = request;
            this.ids = ids;
        }

        int[] next(int tokens) {
            int[] chunk = Arrays.copyOfRange(ids, entered, Math.min(ids.length, entered + tokens));
            entered += chunk.length;
            return chunk;
        }

        boolean complete() {
            return entered == ids.length;
        }
    }

    GenerationBatch(
            Scope work,
            CausalLanguageModel model,
            SamplingConfig settings,
            int[] eosIds,
            StopTexts stopTexts,
            List<GenerationRequest> requests,
            TokenListener listener) {
        this.work = work;
        this.model = model;
        this.settings = settings;
        this.eosIds = eosIds;
        this.stopTexts = stopTexts;
        this.requests = requests;
        this.listener = listener;
        int vocabulary = model.config().vocabSize();
        int mostSamples = 0;
        int mostBlocks = 0;
        int allSamples = 0;
        int allBlocks = 0;
        int longest = 0;
        for (int request = 0; request < requests.size(); request++) {
            int samples = requests.get(request).streams().size();
            waiting.add(new Prompt(request, requests.get(request).promptIds()));
            results.add(new ArrayList<>(Arrays.asList(new Generation[samples])));
            mostSamples = Math.max(mostSamples, samples);
            mostBlocks = Math.max(mostBlocks, blocks(request));
            longest = Math.max(longest, longest(request));
            allSamples += samples;
            allBlocks += blocks(request);
        }
        int together = Math.max(mostSamples, Math.min(settings.batch(), allSamples));
        samplers.add(new TokenSampler(settings, vocabulary, eosIds));
        plain = samplers.get(0).plain();
        int sideBySide = plain ? 1 : Math.min(together, Runtime.getRuntime().availableProcessors());
        while (samplers.size() < sideBySide) {
            samplers.add(new TokenSampler(settings, vocabulary, eosIds));
        }
        totalBlocks = Math.min(allBlocks, Math.max(mostBlocks, together * (blocksOf(longest) + 1)));
        cache = new KvCache(work, model.config(), model.type(), BLOCK_SIZE, totalBlocks);
        mostRows = together;
        logits = work.allocate(DType.FP32, work.backend().rowsOfRepeated(together), vocabulary);
        decodingSteps = new DecodingSteps(work, model, cache, logits);
        hostLogits = plain ? null : new float[Math.multiplyExact(together, vocabulary)];
    }

    List<List<Generation>> run() {
        try (decodingSteps) {
            while (!waiting.isEmpty() || !entering.isEmpty() || !running.isEmpty()) {
                admit();
                if (entering.isEmpty()) {
                    decode();
                } else {
                    extend();
                }
            }
        }
        return results;
    }

    /** Lets prompts enter while there is room for all of their samples to their longest. */
    private void admit() {
        while (!waiting.isEmpty()) {
            Prompt prompt = waiting.peek();
            int samples = requests.get(prompt.request).streams().size();
            int coming = entering.stream()
                    .mapToInt(other -> requests.get(other.request).streams().size())
                    .sum();
            boolean fits = running.size() + coming + samples <= mostRows;
            if (!fits || reservedBlocks + blocks(prompt.request) > totalBlocks) {
                return;
            }
            reservedBlocks += blocks(prompt.request);
            prompt.sequence = cache.open();
            entering.add(waiting.remove());
        }
    }

    /** A token for every sample. */
    private void decode() {
        List<CachedSequence> sequences =
                running.stream().map(sample -> sample.sequence).toList();
        int[] tokens = running.stream().mapToInt(Sample::lastToken).toArray();
        Tensor rows = decodingSteps.run(sequences, tokens);
        List<Choice> choices = new ArrayList<>();
        for (int row = 0; row < tokens.length; row++) {
            choices.add(new Choice(running.get(row), row));
        }
        running.clear();
        choose(rows, choices);
    }

    /** A token for every sample, and a part of waiting prompts. */
    private void extend() {
        List<CachedSequence> sequences = new ArrayList<>();
        List<int[]> newIds = new ArrayList<>();
        for (Sample sample : running) {
            sequences.add(sample.sequence);
            newIds.add(new int[] {sample.lastToken()});
        }
        int decoding = running.size();
        List<Prompt> extended = new ArrayList<>();
        int room = decoding == 0 ? work.backend().promptTokensAtOnce() : PROMPT_CHUNK;
        for (Prompt prompt : entering) {
            if (room == 0) {
                break;
            }
            int[] chunk = prompt.next(room);
            room -= chunk.length;
            sequences.add(prompt.sequence);
            newIds.add(chunk);
            extended.add(prompt);
        }
        try (Scope pass = work.child("step")) {
            Tensor hidden = model.extend(pass, cache, sequences, newIds);
            Tensor rows = logits.slice(0, sequences.size());
            pass.backend().logits(model.head(1f), hidden, rows);
            List<Choice> choices = new ArrayList<>();
            for (int row = 0; row < decoding; row++) {
                choices.add(new Choice(running.get(row), row));
            }
            for (int i = 0; i < extended.size(); i++) {
                if (extended.get(i).complete()) {
                    begin(extended.get(i), decoding + i, choices);
                }
            }
            running.clear();
            choose(rows, choices);
        }
    }

    /** A sample, and the row of logits that its next token comes from. */
    private record Choice(Sample sample, int row) {}

    /** The prompt is in the cache: its samples begin, each with a token from the same logits. */
    private void begin(Prompt prompt, int row, List<Choice> choices) {
        entering.remove(prompt);
        GenerationRequest request = requests.get(prompt.request);
        for (int i = 0; i < request.streams().size(); i++) {
            CachedSequence sequence = cache.fork(prompt.sequence);
            Sample sample = new Sample(
                    prompt.request, i, sequence, prompt.ids, request.streams().get(i), stopTexts.new Search());
            choices.add(new Choice(sample, row));
        }
        cache.close(prompt.sequence);
    }

    /** Without penalties and restrictions the logits stay where they lie. */
    private void choose(Tensor rows, List<Choice> choices) {
        if (plain) {
            int[] tokens = new int[choices.size()];
            float[] logProbs = new float[tokens.length];
            double[] uniforms = choices.stream()
                    .mapToDouble(choice -> choice.sample.nextUniform())
                    .toArray();
            int[] places = choices.stream().mapToInt(Choice::row).toArray();
            rows.backend().drawTokens(rows, (float) settings.temperature(), places, uniforms, tokens, logProbs);
            accept(choices, tokens, logProbs);
            return;
        }
        rows.backend().read(rows, hostLogits, 0);
        int vocabulary = model.config().vocabSize();
        int[] tokens = new int[choices.size()];
        float[] logProbs = new float[tokens.length];
        IntStream.range(0, Math.min(samplers.size(), tokens.length)).parallel().forEach(first -> {
            TokenSampler own = samplers.get(first);
            for (int i = first; i < tokens.length; i += samplers.size()) {
                Sample sample = choices.get(i).sample;
                int offset = choices.get(i).row * vocabulary;
                tokens[i] = own.sample(hostLogits, offset, sample.history(), sample.nextUniform());
                logProbs[i] = own.logProb(hostLogits, offset, tokens[i]);
            }
        });
        accept(choices, tokens, logProbs);
    }

    private void accept(List<Choice> choices, int[] tokens, float... logProbs) {
        for (int i = 0; i < tokens.length; i++) {
            accept(choices.get(i).sample, tokens[i], logProbs[i]);
        }
    }

    private void accept(Sample sample, int token, float logProb) {
        sample.add(token, logProb);
        listener.chosen(sample.request, sample.index, token);
        int most = mostTokens(sample.request);
        if (!sample.finished(eosIds, settings.minNewTokens(), most, Generator.context(model))) {
            running.add(sample);
            return;
        }
        cache.close(sample.sequence);
        List<Generation> samples = results.get(sample.request);
        samples.set(sample.index, sample.result());
        if (!samples.contains(null)) {
            reservedBlocks -= blocks(sample.request);
        }
    }

    /** Blocks that a request takes when all of its samples become as long as they may. */
    private int blocks(int request) {
        int shared = requests.get(request).promptIds().length / BLOCK_SIZE;
        int samples = requests.get(request).streams().size();
        // One more each: a sample copies the block in which the prompt ends.
        return shared + samples * (blocksOf(longest(request)) - shared + 1);
    }

    private int longest(int request) {
        int length = requests.get(request).promptIds().length + mostTokens(request);
        return Math.min(length, Generator.context(model));
    }

    private int mostTokens(int request) {
        return Math.min(settings.maxNewTokens(), requests.get(request).mostTokens());
    }

    private static int blocksOf(int tokens) {
        return -Math.floorDiv(-tokens, BLOCK_SIZE);
    }
}
