package io.rlhf4j.workers.rollout;

import io.rlhf4j.batch.RowShares;
import io.rlhf4j.workers.collective.Collectives;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Divides answers among the ranks, which each judge their own, and tells everybody what all have said. */
public final class JudgementExchange {
    private final List<SampledAnswer> answers;
    private final Collectives ranks;
    private final List<Integer> own;

    /**
     * An exchange.
     *
     * @param answers the same on every rank
     */
    public JudgementExchange(List<SampledAnswer> answers, Collectives ranks) {
        this.answers = answers;
        this.ranks = ranks;
        List<Integer> indices = IntStream.range(0, answers.size()).boxed().toList();
        this.own = RowShares.of(indices, index -> answers.get(index).tokens(), ranks.rank(), ranks.worldSize());
    }

    /** The answers that this rank judges. */
    public List<SampledAnswer> own() {
        return own.stream().map(answers::get).toList();
    }

    /**
     * What all ranks say, by answer, the same on every rank.
     *
     * @param judged what this rank says of {@link #own}
     */
    public List<Optional<Judgement>> all(List<Optional<Judgement>> judged) {
        List<Optional<Judgement>> all = new ArrayList<>(Collections.nCopies(answers.size(), Optional.empty()));
        try {
            for (byte[] message : ranks.allGather(message(judged))) {
                read(message, all);
            }
        } catch (IOException damaged) {
            throw new UncheckedIOException("a rank's judgements cannot be read", damaged);
        }
        return all;
    }

    private byte[] message(List<Optional<Judgement>> judged) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        for (int i = 0; i < judged.size(); i++) {
            if (judged.get(i).isPresent()) {
                Judgement judgement = judged.get(i).get();
                out.writeInt(own.get(i));
                out.writeDouble(judgement.score());
                Map<String, Double> parts = new TreeMap<>(judgement.parts());
                out.writeInt(parts.size());
                for (Map.Entry<String, Double> part : parts.entrySet()) {
                    out.writeUTF(part.getKey());
                    out.writeDouble(part.getValue());
                }
                write(judgement.oldLogProbs(), out);
                write(judgement.referenceLogProbs(), out);
                write(judgement.values(), out);
            }
        }
        return bytes.toByteArray();
    }

    private void read(byte[] message, List<Optional<Judgement>> all) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(message));
        while (in.available() > 0) {
            int index = in.readInt();
            int length = answers.get(index).rollout().response().length;
            double score = in.readDouble();
            Map<String, Double> parts = new TreeMap<>();
            for (int left = in.readInt(); left > 0; left--) {
                String name = in.readUTF();
                parts.put(name, in.readDouble());
            }
            all.set(
                    index,
                    Optional.of(
                            new Judgement(score, parts, floats(in, length), floats(in, length), floats(in, length))));
        }
    }

    private static void write(float[] values, DataOutputStream out) throws IOException {
        for (float value : values) {
            out.writeFloat(value);
        }
    }

    private static float[] floats(DataInputStream in, int length) throws IOException {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = in.readFloat();
        }
        return values;
    }
}
