package io.rlhf4j.hub;

import io.rlhf4j.model.CachedSequence;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.KvCache;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The plainest generation there is: all prompts together, always the most probable token. */
final class GreedyDecoding {
    private final CausalLanguageModel model;
    private final TokenBatch prompts;
    private final int[][] ids;
    private final float[] logProbs;

    GreedyDecoding(CausalLanguageModel model, TokenBatch prompts, int length) {
        this.model = model;
        this.prompts = prompts;
        this.ids = new int[prompts.sequences()][length];
        this.logProbs = new float[prompts.sequences() * length];
    }

    int[][] ids() {
        return ids;
    }

    float[] logProbs() {
        return logProbs;
    }

    void run(Scope scope) {
        int vocab = model.config().vocabSize();
        KvCache cache = new KvCache(scope, model.config(), DType.FP32, 4, 64);
        List<CachedSequence> sequences = new ArrayList<>();
        List<int[]> next = new ArrayList<>();
        for (int row = 0; row < ids.length; row++) {
            sequences.add(cache.open());
            next.add(Arrays.copyOfRange(prompts.ids(), prompts.starts()[row], prompts.starts()[row + 1]));
        }
        for (int column = 0; column < ids[0].length; column++) {
            Tensor hidden = model.extend(scope, cache, sequences, next);
            Tensor logits = scope.allocate(DType.FP32, ids.length, vocab);
            scope.backend().logits(model.head(1f), hidden, logits);
            float[] values = logits.toFloats();
            next.clear();
            for (int row = 0; row < ids.length; row++) {
                float[] scores = Arrays.copyOfRange(values, row * vocab, (row + 1) * vocab);
                int best = 0;
                for (int id = 1; id < vocab; id++) {
                    best = scores[id] > scores[best] ? id : best;
                }
                double sum = 0;
                for (float score : scores) {
                    sum += Math.exp(score - scores[best]);
                }
                ids[row][column] = best;
                logProbs[row * ids[row].length + column] = (float) -Math.log(sum);
                next.add(new int[] {best});
            }
        }
    }
}
