package io.rlhf4j.driver.supportdesk;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The support desk's files, JSON lines, the same for the same seed:
 *
 * <ul>
 *   <li>{@code demonstrations.jsonl} {prompt, response}: answers of agents who are often wrong, for supervised fine-tuning;
 *   <li>{@code preferences.jsonl}, {@code heldout-preferences.jsonl} {prompt, chosen, rejected}: judgements, some mistaken;
 *   <li>{@code prompts.jsonl} {prompt}: questions for PPO;
 *   <li>{@code heldout-demonstrations.jsonl}, {@code heldout-prompts.jsonl}: questions that occur in no other file.
 * </ul>
 */
public final class SupportDeskData {
    /** One question in this many is held out. */
    private static final int HELD_OUT = 5;

    private static final double CHINESE_SHARE = 0.3;
    /** Share of judgements between answers that differ in the fact alone. */
    private static final double FACT_ALONE = 0.4;

    private static final double MISTAKEN_JUDGEMENTS = 0.05;

    private final SplittableRandom random;
    private final GroundTruth truth;
    private final List<Question> asked = new ArrayList<>();
    private final List<Question> heldOut = new ArrayList<>();

    private SupportDeskData(long seed) {
        Catalogue catalogue = Catalogue.of(seed);
        truth = new GroundTruth(catalogue);
        random = new SplittableRandom(seed + 1);
        for (Question question : shuffled(Question.all(catalogue))) {
            if (question.language() == Language.CHINESE && random.nextDouble() > CHINESE_SHARE / (1 - CHINESE_SHARE)) {
                continue;
            }
            (random.nextInt(HELD_OUT) == 0 ? heldOut : asked).add(question);
        }
    }

    /** How many rows each file gets. */
    public record Sizes(int demonstrations, int preferences, int heldOutPreferences, int heldOutPrompts) {
        /** What the quickstart uses. */
        public static Sizes quickstart() {
            return new Sizes(6000, 8000, 400, 200);
        }
    }

    /**
     * Writes all files into a folder, which is made where it is missing.
     *
     * @throws IllegalArgumentException when more held-out prompts are asked for than the domain has
     */
    public static void write(Path folder, long seed, Sizes sizes) throws IOException {
        SupportDeskData data = new SupportDeskData(seed);
        if (data.heldOut.size() < sizes.heldOutPrompts()) {
            throw new IllegalArgumentException("%d held-out prompts wanted, the domain has %d"
                    .formatted(sizes.heldOutPrompts(), data.heldOut.size()));
        }
        Files.createDirectories(folder);
        write(folder.resolve("demonstrations.jsonl"), data.demonstrations(data.asked, sizes.demonstrations()));
        write(folder.resolve("preferences.jsonl"), data.preferences(data.asked, sizes.preferences()));
        write(folder.resolve("prompts.jsonl"), prompts(data.asked));
        List<Question> heldOutPrompts = data.heldOut.subList(0, sizes.heldOutPrompts());
        write(
                folder.resolve("heldout-demonstrations.jsonl"),
                data.demonstrations(heldOutPrompts, sizes.heldOutPrompts()));
        write(folder.resolve("heldout-preferences.jsonl"), data.preferences(data.heldOut, sizes.heldOutPreferences()));
        write(folder.resolve("heldout-prompts.jsonl"), prompts(heldOutPrompts));
    }

    private List<Map<String, String>> demonstrations(List<Question> questions, int count) {
        List<Map<String, String>> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Question question = questions.get(i % questions.size());
            AnswerTraits traits = AnswerTraits.draw(random, 0.6, 0.7, 0.5, 0.5, 0.6);
            rows.add(row("prompt", question.text(), "response", AnswerWriter.write(question, traits, random)));
        }
        return rows;
    }

    private List<Map<String, String>> preferences(List<Question> questions, int count) {
        List<Map<String, String>> rows = new ArrayList<>();
        while (rows.size() < count) {
            Question question = questions.get(rows.size() % questions.size());
            AnswerTraits traits = AnswerTraits.draw(random, 0.5, 0.7, 0.5, 0.5, 0.5);
            AnswerTraits others = random.nextDouble() < FACT_ALONE
                    ? traits.withOtherFact()
                    : AnswerTraits.draw(random, 0.5, 0.7, 0.5, 0.5, 0.5);
            String first = AnswerWriter.write(question, traits, random);
            String second = AnswerWriter.write(question, others, random);
            double gap = truth.score(question.text(), first).total()
                    - truth.score(question.text(), second).total();
            if (Math.abs(gap) < 1e-9) {
                continue;
            }
            boolean firstChosen = gap > 0 ^ random.nextDouble() < MISTAKEN_JUDGEMENTS;
            Map<String, String> row = row("prompt", question.text(), "chosen", firstChosen ? first : second);
            row.put("rejected", firstChosen ? second : first);
            rows.add(row);
        }
        return rows;
    }

    private static List<Map<String, String>> prompts(List<Question> questions) {
        List<Map<String, String>> rows = new ArrayList<>();
        for (Question question : questions) {
            rows.add(row(
                    "prompt", question.text(), "language", question.language().name()));
        }
        return rows;
    }

    private static Map<String, String> row(String key1, String value1, String key2, String value2) {
        Map<String, String> row = new LinkedHashMap<>();
        row.put(key1, value1);
        row.put(key2, value2);
        return row;
    }

    private <T> List<T> shuffled(List<T> items) {
        List<T> shuffled = new ArrayList<>(items);
        for (int i = shuffled.size() - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            T item = shuffled.get(i);
            shuffled.set(i, shuffled.get(other));
            shuffled.set(other, item);
        }
        return shuffled;
    }

    private static void write(Path file, List<Map<String, String>> rows) throws IOException {
        ObjectMapper json = new ObjectMapper();
        try (BufferedWriter writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            for (Map<String, String> row : rows) {
                writer.write(json.writeValueAsString(row));
                writer.newLine();
            }
        }
    }
}
