package io.rlhf4j.batch;

import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.model.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Rows packed for one forward pass, and the tokens of them that are asked for.
 *
 * @param batch the sequences, one after the other
 * @param rows [asked] packed index of the token before each token that is asked for: where its distribution, and its value,
 *     are computed
 * @param targets [asked] the tokens asked for
 * @param ends [sequences + 1] where each sequence's tokens begin among those asked for, and last their number
 */
public record PackedRows(TokenBatch batch, int[] rows, int[] targets, int[] ends) {
    /** Texts, of which the trained tokens are asked for, or all with {@code everything}; never the first. */
    public static PackedRows ofTexts(List<TrainingRow> texts, boolean everything) {
        Builder builder = new Builder();
        for (TrainingRow text : texts) {
            builder.add(text.ids(), 1, index -> everything || text.trained()[index]);
        }
        return builder.build();
    }

    /** Prompts with their sampled responses, of which the trained response tokens are asked for. */
    public static PackedRows ofRollouts(List<Rollout> rollouts) {
        Builder builder = new Builder();
        for (Rollout rollout : rollouts) {
            int promptLength = rollout.prompt().length;
            builder.add(join(rollout.prompt(), rollout.response()), promptLength, index -> rollout.mask()[
                    index - promptLength]);
        }
        return builder.build();
    }

    /** Prompts with their answers, of which all tokens of the answers are asked for. */
    public static PackedRows ofAnswers(List<int[]> prompts, List<int[]> answers) {
        Builder builder = new Builder();
        for (int i = 0; i < answers.size(); i++) {
            builder.add(join(prompts.get(i), answers.get(i)), prompts.get(i).length, index -> true);
        }
        return builder.build();
    }

    /** Both answers of each pair, chosen then rejected, pair after pair. No token is asked for. */
    public static TokenBatch ofPairs(List<PreferenceRow> pairs) {
        List<int[]> sequences = new ArrayList<>();
        for (PreferenceRow pair : pairs) {
            sequences.add(pair.chosen());
            sequences.add(pair.rejected());
        }
        return TokenBatch.of(sequences);
    }

    /** How many tokens are asked for. */
    public int asked() {
        return targets.length;
    }

    /** {@code first} followed by {@code second}. */
    public static int[] join(int[] first, int[] second) {
        int[] joined = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }

    private static final class Builder {
        private final List<int[]> sequences = new ArrayList<>();
        private final IntStream.Builder rows = IntStream.builder();
        private final IntStream.Builder targets = IntStream.builder();
        private final IntStream.Builder ends = IntStream.builder();
        private int start;
        private int asked;

        private Builder() {
            ends.add(0);
        }

        private void add(int[] ids, int from, IntPredicate wanted) {
            sequences.add(ids);
            for (int index = from; index < ids.length; index++) {
                if (wanted.test(index)) {
                    rows.add(start + index - 1);
                    targets.add(ids[index]);
                    asked++;
                }
            }
            start += ids.length;
            ends.add(asked);
        }

        private PackedRows build() {
            return new PackedRows(
                    TokenBatch.of(sequences),
                    rows.build().toArray(),
                    targets.build().toArray(),
                    ends.build().toArray());
        }
    }
}
