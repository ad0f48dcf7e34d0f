package io.rlhf4j.workers.training;

import io.rlhf4j.workers.collective.Collectives;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The scores of a pair's answers.
 *
 * @param source the pair's source
 * @param chosen score of the preferred answer
 * @param rejected score of the other
 * @param chosenTokens length of the preferred text
 * @param rejectedTokens length of the other
 */
record ScoredPair(String source, float chosen, float rejected, int chosenTokens, int rejectedTokens) {
    boolean right() {
        return chosen > rejected;
    }

    double gap() {
        return (double) chosen - rejected;
    }

    /** The pairs of all ranks, in the order of the ranks. */
    static List<ScoredPair> ofAllRanks(List<ScoredPair> own, Collectives collectives) {
        List<ScoredPair> all = new ArrayList<>();
        for (byte[] message : collectives.allGather(encode(own))) {
            ByteBuffer buffer = ByteBuffer.wrap(message);
            while (buffer.hasRemaining()) {
                byte[] source = new byte[buffer.getInt()];
                buffer.get(source);
                all.add(new ScoredPair(
                        new String(source, StandardCharsets.UTF_8),
                        buffer.getFloat(),
                        buffer.getFloat(),
                        buffer.getInt(),
                        buffer.getInt()));
            }
        }
        return all;
    }

    private static byte[] encode(List<ScoredPair> pairs) {
        int bytes = pairs.stream()
                .mapToInt(pair -> pair.source.getBytes(StandardCharsets.UTF_8).length + 20)
                .sum();
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        for (ScoredPair pair : pairs) {
            byte[] source = pair.source.getBytes(StandardCharsets.UTF_8);
            buffer.putInt(source.length).put(source);
            buffer.putFloat(pair.chosen).putFloat(pair.rejected);
            buffer.putInt(pair.chosenTokens).putInt(pair.rejectedTokens);
        }
        return buffer.array();
    }
}
