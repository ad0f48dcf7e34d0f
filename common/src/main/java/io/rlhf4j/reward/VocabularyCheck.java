package io.rlhf4j.reward;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Refuses an actor and a reward model whose tokens mean different things: the reward model reads the actor's token ids, so
 * another vocabulary would score another text, and nothing would look wrong.
 */
public final class VocabularyCheck {
    /** Texts whose tokens betray another vocabulary, whatever it was made for. */
    private static final List<String> PROBES = List.of(
            "The quick brown fox jumps over the lazy dog.",
            "  1,234.50 + 99% = ?\n\n#### 42",
            "public static void main(String[] args) { return; }",
            "保修期是两年，请联系客服。",
            "Ünïcödé — naïve café 🙂");

    private VocabularyCheck() {}

    /**
     * Compares two tokenizers by size, special tokens and what they make of some texts.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where they differ
     */
    public static void require(String actor, Tokenizer actorTokens, String other, Tokenizer otherTokens) {
        List<String> differences = new ArrayList<>();
        if (actorTokens.vocabularySize() != otherTokens.vocabularySize()) {
            differences.add(
                    "%d tokens against %d".formatted(actorTokens.vocabularySize(), otherTokens.vocabularySize()));
        }
        if (!actorTokens.eosId().equals(otherTokens.eosId())) {
            differences.add("end token %s against %s".formatted(actorTokens.eosId(), otherTokens.eosId()));
        }
        for (String probe : PROBES) {
            if (!Arrays.equals(actorTokens.ids(probe, false), otherTokens.ids(probe, false))) {
                differences.add("'%s' becomes other tokens".formatted(probe.strip()));
                break;
            }
        }
        if (!differences.isEmpty()) {
            throw Rlhf4jException.configuration(
                    "%s and %s have different vocabularies (%s); actor and reward model may differ in family and size, but"
                                    .formatted(actor, other, String.join("; ", differences))
                            + " the reward model has to be trained on the actor's tokens: take one with this vocabulary");
        }
    }

    /**
     * Compares the sizes that two models' configurations give, for models without tokenizers.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where an id of the actor's could lie outside the other's embedding
     */
    public static void requireSizes(String actor, int actorTokens, String other, int otherTokens) {
        if (actorTokens > otherTokens) {
            throw Rlhf4jException.configuration(
                    "%s has %d tokens, %s only %d: they have different vocabularies; take a reward model that was trained"
                                    .formatted(actor, actorTokens, other, otherTokens)
                            + " on the actor's tokens");
        }
    }
}
