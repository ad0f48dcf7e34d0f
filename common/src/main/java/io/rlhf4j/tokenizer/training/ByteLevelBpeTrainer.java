package io.rlhf4j.tokenizer.training;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns byte-level byte-pair encoding (Sennrich et al. 2016; bytes as in GPT-2): the most frequent pair of neighbouring
 * tokens becomes a token, again and again. Equal counts are decided by the lower ids, so that equal texts give equal
 * vocabularies.
 */
public final class ByteLevelBpeTrainer {
    /** How the byte-level pre-tokenizer cuts text into words, which no token crosses. */
    private static final Pattern WORDS =
            Pattern.compile("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

    private final int vocabularySize;
    private final List<String> specialTokens;

    /**
     * @param vocabularySize most ids, special tokens and the 256 bytes among them
     * @param specialTokens tokens that stand for themselves
     */
    public ByteLevelBpeTrainer(int vocabularySize, List<String> specialTokens) {
        if (vocabularySize < 256 + specialTokens.size()) {
            throw new IllegalArgumentException(
                    "a byte-level vocabulary with %d special tokens has at least %d ids, not %d"
                            .formatted(specialTokens.size(), 256 + specialTokens.size(), vocabularySize));
        }
        this.vocabularySize = vocabularySize;
        this.specialTokens = List.copyOf(specialTokens);
    }

    private record Pair(int left, int right) {}

    /** A word as token numbers, and how often it occurs. */
    private record Word(int[] tokens, long count) {
        Word merged(Pair pair, int token) {
            int[] merged = new int[tokens.length];
            int length = 0;
            for (int i = 0; i < tokens.length; i++) {
                boolean here = i + 1 < tokens.length && tokens[i] == pair.left && tokens[i + 1] == pair.right;
                merged[length++] = here ? token : tokens[i];
                i += here ? 1 : 0;
            }
            return new Word(Arrays.copyOf(merged, length), count);
        }
    }

    /** Learns from texts. The vocabulary is smaller than asked for when no pair is left that occurs twice. */
    public ByteLevelBpe train(Iterable<String> texts) {
        List<Word> words = words(texts);
        List<String> tokens = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            tokens.add(ByteAlphabet.of(value));
        }
        List<ByteLevelBpe.Merge> merges = new ArrayList<>();
        while (specialTokens.size() + tokens.size() < vocabularySize) {
            Map<Pair, Long> counts = new HashMap<>();
            for (Word word : words) {
                for (int i = 0; i + 1 < word.tokens.length; i++) {
                    counts.merge(new Pair(word.tokens[i], word.tokens[i + 1]), word.count, Long::sum);
                }
            }
            Pair best = counts.entrySet().stream()
                    .filter(entry -> entry.getValue() > 1)
                    .max(Map.Entry.<Pair, Long>comparingByValue()
                            .thenComparing(
                                    Map.Entry::getKey,
                                    Comparator.comparingInt(Pair::left)
                                            .thenComparingInt(Pair::right)
                                            .reversed()))
                    .map(Map.Entry::getKey)
                    .orElse(null);
            if (best == null) {
                break;
            }
            int token = tokens.size();
            tokens.add(tokens.get(best.left) + tokens.get(best.right));
            merges.add(new ByteLevelBpe.Merge(tokens.get(best.left), tokens.get(best.right)));
            words.replaceAll(word -> word.merged(best, token));
        }
        return new ByteLevelBpe(specialTokens, tokens, merges);
    }

    private static List<Word> words(Iterable<String> texts) {
        Map<String, Long> counts = new TreeMap<>();
        for (String text : texts) {
            Matcher matcher = WORDS.matcher(text);
            while (matcher.find()) {
                counts.merge(matcher.group(), 1L, Long::sum);
            }
        }
        List<Word> words = new ArrayList<>();
        counts.forEach((word, count) -> words.add(new Word(ByteAlphabet.bytes(word), count)));
        return words;
    }
}
