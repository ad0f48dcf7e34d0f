package io.rlhf4j.generation;

import io.rlhf4j.model.CachedSequence;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.sampling.TokenHistory;
import java.util.Arrays;

/** A sample that is being generated: its place in the cache, its tokens so far and its random stream. */
final class Sample {
    final int request;
    final int index;
    final CachedSequence sequence;
    private final RandomStream stream;
    private final TokenHistory history;
    private final StopTexts.Search stop;
    private final int promptLength;
    private float[] logProbs = new float[16];
    private FinishReason finishReason;

    Sample(
            int request,
            int index,
            CachedSequence sequence,
            int[] promptIds,
            RandomStream stream,
            StopTexts.Search stop) {
        this.request = request;
        this.index = index;
        this.sequence = sequence;
        this.stream = stream;
        this.stop = stop;
        this.promptLength = promptIds.length;
        this.history = new TokenHistory(promptIds, logProbs.length);
    }

    TokenHistory history() {
        return history;
    }

    /** The random number that chooses the next token. */
    double nextUniform() {
        return stream.uniform(history.newTokens());
    }

    int lastToken() {
        return history.get(history.length() - 1);
    }

    void add(int token, float logProb) {
        if (history.newTokens() == logProbs.length) {
            logProbs = Arrays.copyOf(logProbs, 2 * logProbs.length);
        }
        logProbs[history.newTokens()] = logProb;
        history.add(token);
    }

    /** Decides whether the token added last ends the sample; before its fewest tokens a stop text does not. */
    boolean finished(int[] eosIds, int minNewTokens, int maxNewTokens, int maxLength) {
        int token = lastToken();
        for (int eos : eosIds) {
            if (token == eos) {
                finishReason = FinishReason.EOS;
            }
        }
        boolean stopped = stop.completedBy(token);
        if (finishReason == null && stopped && history.newTokens() >= minNewTokens) {
            finishReason = FinishReason.STOP;
        }
        if (finishReason == null && (history.newTokens() >= maxNewTokens || history.length() >= maxLength)) {
            finishReason = FinishReason.LENGTH;
        }
        return finishReason != null;
    }

    Generation result() {
        int[] ids = new int[history.newTokens()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = history.get(promptLength + i);
        }
        return new Generation(ids, Arrays.copyOf(logProbs, ids.length), finishReason);
    }
}
