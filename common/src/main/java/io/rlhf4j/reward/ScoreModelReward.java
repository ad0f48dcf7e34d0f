package io.rlhf4j.reward;

import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.batch.RowShares;
import io.rlhf4j.model.Passes;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.model.TokenBatch;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The score of a reward model at the last token of prompt and response, over the very tokens that were sampled. */
public final class ScoreModelReward implements Reward {
    private final ScoreModel model;
    private final Passes passes;
    private final Scope work;
    private final int microBatchTokens;

    /**
     * A reward of a model.
     *
     * @param model owned by the caller
     * @param passes how passes of the model are run
     * @param work for activations
     * @param microBatchTokens tokens taken through the model at once
     */
    public ScoreModelReward(ScoreModel model, Passes passes, Scope work, int microBatchTokens) {
        this.model = model;
        this.passes = passes;
        this.work = work;
        this.microBatchTokens = microBatchTokens;
    }

    @Override
    public List<Score> score(List<Answer> answers, Deadline deadline) throws IOException {
        List<int[]> sequences = answers.stream()
                .map(answer -> PackedRows.join(answer.promptIds(), answer.responseIds()))
                .toList();
        Score[] scores = new Score[answers.size()];
        List<Integer> indices = IntStream.range(0, scores.length).boxed().toList();
        List<Runnable> microBatches = new ArrayList<>();
        for (List<Integer> batch :
                RowShares.microBatches(indices, index -> sequences.get(index).length, microBatchTokens)) {
            microBatches.add(() -> {
                requireTime(deadline);
                float[] values = scores(batch.stream().map(sequences::get).toList());
                for (int i = 0; i < values.length; i++) {
                    scores[batch.get(i)] = Score.of(values[i]);
                }
            });
        }
        try {
            passes.forward(microBatches);
        } catch (UncheckedIOException late) {
            throw late.getCause();
        }
        return new ArrayList<>(List.of(scores));
    }

    private static void requireTime(Deadline deadline) {
        try {
            deadline.check();
        } catch (InterruptedIOException late) {
            throw new UncheckedIOException(late);
        }
    }

    private float[] scores(List<int[]> sequences) {
        try (Scope pass = work.child("reward")) {
            TokenBatch packed = TokenBatch.of(sequences);
            return model.scores(pass, packed, packed.lastRows());
        }
    }
}
