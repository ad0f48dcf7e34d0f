package io.rlhf4j.workers.collective.network;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a rank listens, as the ranks tell each other in one exchange of lines. */
record RankedAddress(int rank, String address) {
    private static final Pattern TEXT = Pattern.compile("(\\d{1,9})@(.+)");

    /** As the others are told. */
    String format() {
        return rank + "@" + address;
    }

    private static RankedAddress parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new Rlhf4jException(ErrorKind.RETRYABLE, "'%s' is no address of a rank".formatted(text));
        }
        return new RankedAddress(Integer.parseInt(matcher.group(1)), matcher.group(2));
    }

    /** The addresses of all ranks, by rank. */
    static List<String> all(List<String> texts, int worldSize) {
        String[] all = new String[worldSize];
        for (String text : texts) {
            RankedAddress told = parse(text);
            if (told.rank >= worldSize || all[told.rank] != null) {
                throw wrong(texts, worldSize);
            }
            all[told.rank] = told.address;
        }
        if (Arrays.asList(all).contains(null)) {
            throw wrong(texts, worldSize);
        }
        return List.of(all);
    }

    private static Rlhf4jException wrong(List<String> texts, int worldSize) {
        return new Rlhf4jException(
                ErrorKind.RETRYABLE, "the ranks that met are %s, not each of %d once".formatted(texts, worldSize));
    }
}
