package io.rlhf4j.driver.bench;

import java.util.stream.IntStream;

/** The lengths of workloads whose rows differ, as the scripts of other systems choose them. */
final class PeerLengths {
    /** Tokens of the shortest row that is trained on. */
    static final int SHORTEST_ROW = 16;

    /** Tokens of the shortest answer. */
    static final int SHORTEST_ANSWER = 8;

    private PeerLengths() {}

    /** Of rows to train on: uniform between the shortest and {@code longest}, by Python's {@code Random(7).randint}. */
    static int[] rows(int count, int longest) {
        MersenneTwister numbers = MersenneTwister.ofPython(7);
        int choices = longest - SHORTEST_ROW + 1;
        int bits = Integer.SIZE - Integer.numberOfLeadingZeros(choices);
        return IntStream.range(0, count)
                .map(row -> {
                    int number;
                    do {
                        number = numbers.bits() >>> (Integer.SIZE - bits);
                    } while (number >= choices);
                    return SHORTEST_ROW + number;
                })
                .toArray();
    }

    /** Of answers: in even steps from the shortest to {@code longest}, in the order of PyTorch's {@code randperm}, seed 3. */
    static int[] answers(int count, int longest) {
        int[] order = IntStream.range(0, count).toArray();
        MersenneTwister numbers = MersenneTwister.ofTorch(3);
        for (int i = 0; i < count - 1; i++) {
            int other = i + Integer.remainderUnsigned(numbers.bits(), count - i);
            int kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        double step = (double) (longest - SHORTEST_ANSWER) / Math.max(1, count - 1);
        return IntStream.of(order)
                .map(place -> (int) Math.rint(SHORTEST_ANSWER + step * place))
                .toArray();
    }
}
