package io.rlhf4j.workers.collective.network;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a rank listens. */
record Address(int rank, String host, int port) {
    private static final Pattern TEXT = Pattern.compile("(.+):(\\d{1,5})");

    /**
     * The addresses of all ranks.
     *
     * @param texts {@code host:port}, by rank
     */
    static List<Address> all(List<String> texts) {
        List<Address> all = new ArrayList<>();
        for (String text : texts) {
            Matcher matcher = TEXT.matcher(text);
            if (!matcher.matches()) {
                throw new Rlhf4jException(ErrorKind.RETRYABLE, "'%s' is no address of a rank".formatted(text));
            }
            all.add(new Address(all.size(), matcher.group(1), Integer.parseInt(matcher.group(2))));
        }
        return all;
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
