package io.rlhf4j.driver.data;

import io.rlhf4j.driver.data.MappedRow.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whole dialogues as text, {@code \n\nHuman: ...\n\nAssistant: ...}, as Anthropic's helpful and harmless data has them (Bai
 * et al. 2022): a pair shares its beginning, and differs in the last answer.
 */
final class Dialogue {
    private static final String ASSISTANT = "\n\nAssistant:";
    private static final Pattern TURN = Pattern.compile("\n\n(Human|Assistant):");

    private Dialogue() {}

    /** Where the answers begin: after the last "Assistant:" of what both have in common. */
    static int promptLength(String first, String second) throws UnusableRowException {
        int common = 0;
        while (common < first.length() && common < second.length() && first.charAt(common) == second.charAt(common)) {
            common++;
        }
        int last = first.lastIndexOf(ASSISTANT, common - ASSISTANT.length());
        if (common < ASSISTANT.length() || last < 0) {
            throw UnusableRowException.unusable("the dialogues have no common beginning that ends in 'Assistant:'");
        }
        return last + ASSISTANT.length();
    }

    /** Where the last answer of a single dialogue begins. */
    static int promptLength(String dialogue) throws UnusableRowException {
        return promptLength(dialogue, dialogue);
    }

    /** The beginning of a dialogue, as text and as messages. */
    static Prompt prompt(String beginning) throws UnusableRowException {
        List<Map<String, Object>> messages = new ArrayList<>();
        Matcher turn = TURN.matcher(beginning);
        if (!turn.lookingAt()) {
            throw UnusableRowException.unusable("the dialogue does not begin with 'Human:' or 'Assistant:'");
        }
        boolean more = true;
        while (more) {
            String role = turn.group(1).equals("Human") ? "user" : "assistant";
            int from = turn.end();
            more = turn.find();
            String content = beginning.substring(from, more ? turn.start() : beginning.length());
            if (more || role.equals("user")) {
                messages.add(Prompt.message(role, content.strip()));
            }
        }
        return new Prompt(beginning, List.copyOf(messages));
    }
}
