package io.rlhf4j.reward;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A text as numbers, for networks that do not read tokens: a few measures, then counts of words and of neighbouring words
 * by the hashing trick (Weinberger et al. 2009). Chinese, Japanese and Korean characters are words each.
 */
public final class TextFeatures {
    /** Features that are measures, not counts: length, and the share of words that the prompt has too. */
    private static final int MEASURES = 2;

    private static final Pattern WORD = Pattern.compile(
            "[\\p{IsHan}\\p{IsHiragana}\\p{IsKatakana}\\p{IsHangul}]|[\\p{L}\\p{N}]+|[^\\s\\p{L}\\p{N}]");

    private final int size;

    /**
     * Features of a text.
     *
     * @param size how many; 16 at least, some thousand to be useful
     */
    public TextFeatures(int size) {
        if (size < 16) {
            throw new IllegalArgumentException("16 features at least, not " + size);
        }
        this.size = size;
    }

    /** How many features there are. */
    public int size() {
        return size;
    }

    /** [size] features of a response to a prompt; the counts have length 1 together. */
    public float[] of(String prompt, String response) {
        float[] features = new float[size];
        Set<String> asked = new HashSet<>(words(prompt));
        List<String> said = words(response);
        String before = "";
        int repeated = 0;
        for (String word : said) {
            count(features, word);
            count(features, before + " " + word);
            repeated += asked.contains(word) ? 1 : 0;
            before = word;
        }
        normalise(features);
        features[0] = (float) Math.log1p(said.size());
        features[1] = said.isEmpty() ? 0 : repeated / (float) said.size();
        return features;
    }

    private static List<String> words(String text) {
        return WORD.matcher(text.toLowerCase(Locale.ROOT))
                .results()
                .map(MatchResult::group)
                .toList();
    }

    private void count(float[] features, String word) {
        // String.hashCode is specified, hence the same in every JVM; the product spreads its weak low bits.
        int hash = word.hashCode() * 0x9E3779B9;
        hash ^= hash >>> 15;
        features[MEASURES + Math.floorMod(hash, size - MEASURES)] += (hash >>> 31) == 0 ? 1 : -1;
    }

    private static void normalise(float[] features) {
        double squares = 0;
        for (float feature : features) {
            squares += feature * feature;
        }
        if (squares > 0) {
            float factor = (float) (1 / Math.sqrt(squares));
            for (int i = 0; i < features.length; i++) {
                features[i] *= factor;
            }
        }
    }
}
