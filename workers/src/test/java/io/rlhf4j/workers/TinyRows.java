package io.rlhf4j.workers;

import io.rlhf4j.data.PreferenceRow;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.data.TrainingRow;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Rows over the vocabulary of {@link TinyModels}, of different lengths. */
public final class TinyRows {
    private TinyRows() {}

    /** Texts whose responses repeat the prompt's last token: something to learn. */
    public static List<TrainingRow> texts(int count, long seed) {
        Random random = new Random(seed);
        List<TrainingRow> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int prompt = 2 + random.nextInt(4);
            int[] ids = random.ints(prompt + 2 + random.nextInt(6), 8, TinyModels.VOCABULARY)
                    .toArray();
            boolean[] trained = new boolean[ids.length];
            for (int t = prompt; t < ids.length; t++) {
                ids[t] = ids[prompt - 1];
                trained[t] = true;
            }
            ids[ids.length - 1] = TinyModels.EOS;
            rows.add(new TrainingRow("text-" + i, "texts", ids, trained));
        }
        return rows;
    }

    /** Pairs of which the better answer is made of small tokens, the worse of large ones; of two sources. */
    public static List<PreferenceRow> pairs(int count, long seed) {
        Random random = new Random(seed);
        List<PreferenceRow> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt =
                    random.ints(2 + random.nextInt(4), 8, TinyModels.VOCABULARY).toArray();
            int[] chosen =
                    answer(prompt, random.ints(2 + random.nextInt(5), 8, 36).toArray());
            int[] rejected = answer(
                    prompt,
                    random.ints(2 + random.nextInt(5), 36, TinyModels.VOCABULARY)
                            .toArray());
            rows.add(new PreferenceRow("pair-" + i, i % 3 == 0 ? "left" : "right", chosen, rejected, prompt.length, 0));
        }
        return rows;
    }

    /** Prompts of random tokens. */
    public static List<PromptRow> prompts(int count, long seed) {
        Random random = new Random(seed);
        List<PromptRow> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] ids =
                    random.ints(2 + random.nextInt(4), 8, TinyModels.VOCABULARY).toArray();
            rows.add(new PromptRow("prompt-" + i, i % 2 == 0 ? "even" : "odd", ids, Arrays.toString(ids), ""));
        }
        return rows;
    }

    private static int[] answer(int[] prompt, int... response) {
        int[] ids = Arrays.copyOf(prompt, prompt.length + response.length + 1);
        System.arraycopy(response, 0, ids, prompt.length, response.length);
        ids[ids.length - 1] = TinyModels.EOS;
        return ids;
    }
}
