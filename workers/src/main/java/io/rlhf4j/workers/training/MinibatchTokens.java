package io.rlhf4j.workers.training;

import io.rlhf4j.advantage.Moments;
import io.rlhf4j.advantage.Whitening;
import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.data.Rollout;
import java.util.ArrayList;
import java.util.List;

/** The trained tokens of some rollouts, packed, with what the losses need to know of each, in the order of the targets. */
record MinibatchTokens(
        PackedRows packed,
        double[] oldLogProbs,
        double[] rolloutLogProbs,
        double[] referenceLogProbs,
        double[] advantages,
        double[] oldValues,
        double[] returns) {
    /** A rollout and its whitened advantages. */
    record Sample(Rollout rollout, double[] advantages) {}

    static MinibatchTokens of(List<Sample> samples) {
        List<Rollout> rollouts = samples.stream().map(Sample::rollout).toList();
        PackedRows packed = PackedRows.ofRollouts(rollouts);
        MinibatchTokens tokens = new MinibatchTokens(
                packed,
                new double[packed.asked()],
                new double[packed.asked()],
                new double[packed.asked()],
                new double[packed.asked()],
                new double[packed.asked()],
                new double[packed.asked()]);
        int next = 0;
        for (Sample sample : samples) {
            Rollout rollout = sample.rollout();
            for (int t = 0; t < rollout.response().length; t++) {
                if (rollout.mask()[t]) {
                    tokens.oldLogProbs[next] = rollout.oldLogProbs()[t];
                    tokens.rolloutLogProbs[next] = rollout.rolloutLogProbs()[t];
                    tokens.referenceLogProbs[next] = rollout.referenceLogProbs()[t];
                    tokens.advantages[next] = sample.advantages()[t];
                    tokens.oldValues[next] = rollout.values()[t];
                    tokens.returns[next] = rollout.returns()[t];
                    next++;
                }
            }
        }
        return tokens;
    }

    /** Rollouts with advantages whitened over all of them together, or as they are. */
    static List<Sample> samples(List<Rollout> rollouts, boolean whiten) {
        List<double[]> advantages = new ArrayList<>();
        Moments moments = Moments.NONE;
        for (Rollout rollout : rollouts) {
            double[] values = Doubles.of(rollout.advantages());
            advantages.add(values);
            moments = moments.plus(Moments.of(values, rollout.mask()));
        }
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < rollouts.size(); i++) {
            Rollout rollout = rollouts.get(i);
            samples.add(new Sample(
                    rollout,
                    whiten
                            ? Whitening.POPULATION.apply(advantages.get(i), rollout.mask(), moments, true)
                            : advantages.get(i)));
        }
        return samples;
    }
}
