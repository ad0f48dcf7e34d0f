package io.rlhf4j.workers.collective.network;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a rank listens. */
record Address(int rank, String host, int port) {
    private static final Pattern TEXT = Pattern.compile("(\\d{1,9})@(.+):(\\d{1,5})");

    /** As the others are told. */
    String format() {
        return rank + "@" + host + ":" + port;
    }

    private static Address parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new Rlhf4jException(ErrorKind.RETRYABLE, "'%s' is no address of a rank".formatted(text));
        }
        return new Address(Integer.parseInt(matcher.group(1)), matcher.group(2), Integer.parseInt(matcher.group(3)));
    }

    /** The addresses of all ranks, by rank. */
    static List<Address> all(List<String> texts, int worldSize) {
        Address[] all = new Address[worldSize];
        for (String text : texts) {
            Address address = parse(text);
            if (address.rank >= worldSize || all[address.rank] != null) {
                throw wrong(texts, worldSize);
            }
            all[address.rank] = address;
        }
        if (Arrays.asList(all).contains(null)) {
            throw wrong(texts, worldSize);
        }
        return new ArrayList<>(Arrays.asList(all));
    }

    private static Rlhf4jException wrong(List<String> texts, int worldSize) {
        return new Rlhf4jException(
                ErrorKind.RETRYABLE, "the ranks that met are %s, not each of %d once".formatted(texts, worldSize));
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
