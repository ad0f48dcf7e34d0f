package io.rlhf4j.workers.training;

import io.rlhf4j.advantage.Divergence;
import io.rlhf4j.advantage.KlController;
import io.rlhf4j.batch.PackedRows;
import io.rlhf4j.batch.RowShares;
import io.rlhf4j.config.PpoConfig;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.loss.PolicyStatistics;
import io.rlhf4j.loss.ValueLoss;
import io.rlhf4j.loss.ValueStatistics;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.sampling.RandomStream;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.engine.Backward;
import io.rlhf4j.workers.engine.StepResult;
import io.rlhf4j.workers.engine.TrainingEngine;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Step 3, proximal policy optimisation: one update of actor and critic for each batch of rollouts (Schulman et al. 2017,
 * eq. 7; Ziegler et al. 2019 for the KL reward). Every rank is given all rollouts and computes its share, so that batch
 * statistics need no exchange and minibatches do not depend on the number of ranks.
 */
public final class PpoTrainer {
    private final CausalLanguageModel actor;
    private final TrainingEngine actorEngine;
    private final ScoreModel critic;
    private final TrainingEngine criticEngine;
    private final Collectives collectives;
    private final PpoConfig settings;
    private final long seed;
    private final int microBatchTokens;

    /**
     * A trainer of one rank.
     *
     * @param seed of the run: shuffles follow from it
     * @param microBatchTokens tokens taken through a model at once
     */
    public PpoTrainer(
            CausalLanguageModel actor,
            TrainingEngine actorEngine,
            ScoreModel critic,
            TrainingEngine criticEngine,
            Collectives collectives,
            PpoConfig settings,
            long seed,
            int microBatchTokens) {
        this.actor = actor;
        this.actorEngine = actorEngine;
        this.critic = critic;
        this.criticEngine = criticEngine;
        this.collectives = collectives;
        this.settings = settings;
        this.seed = seed;
        this.microBatchTokens = microBatchTokens;
    }

    /**
     * The update of one iteration.
     *
     * @param beta weight of the KL penalty in this iteration
     * @param rollouts of all prompts, the same on every rank; their order does not matter
     * @param texts for PPO-ptx: a batch for each optimizer step, or empty
     */
    public PpoUpdate update(long iteration, double beta, List<Rollout> rollouts, List<TrainingRow> texts) {
        requireSome(iteration, rollouts);
        List<MinibatchTokens.Sample> samples = MinibatchTokens.samples(inOrder(rollouts), settings.whiten());
        UpdateMetrics metrics = new UpdateMetrics(rollouts, collectives);
        int planned = settings.epochs() * settings.minibatches();
        int step = 0;
        boolean stopped = false;
        for (int epoch = 0; epoch < settings.epochs() && !stopped; epoch++) {
            RandomStream order =
                    RandomStream.of(seed).at("minibatches").at(iteration).at(epoch);
            for (List<MinibatchTokens.Sample> minibatch : split(shuffled(samples, order))) {
                PolicyStatistics policy = actorStep(minibatch, textsOf(texts, step), beta, metrics, step == 0);
                criticStep(minibatch, metrics);
                step++;
                // The same number on every rank: all stop together.
                if (settings.targetKl().isPresent()
                        && policy.approxKl() > settings.targetKl().get()) {
                    stopped = true;
                    break;
                }
            }
        }
        actorEngine.passOver(planned - step);
        criticEngine.passOver(planned - step);
        return new PpoUpdate(metrics.means(beta, step, stopped), nextBeta(beta, rollouts));
    }

    private PolicyStatistics actorStep(
            List<MinibatchTokens.Sample> minibatch,
            List<TrainingRow> texts,
            double beta,
            UpdateMetrics metrics,
            boolean first) {
        long begin = System.nanoTime();
        long tokens = trainedTokens(minibatch);
        PolicyStatistics statistics = new PolicyStatistics();
        List<PolicyUpdate> updates = new ArrayList<>();
        List<Backward> microBatches = new ArrayList<>();
        for (List<MinibatchTokens.Sample> share : shares(minibatch)) {
            microBatches.add(work -> {
                MinibatchTokens packed = MinibatchTokens.of(share);
                PolicyUpdate loss = new PolicyUpdate(packed, settings, beta, tokens, statistics);
                updates.add(loss);
                actor.logProbsAndBackward(
                        work,
                        packed.packed().batch(),
                        packed.packed().rows(),
                        packed.packed().targets(),
                        (float) settings.sampling().temperature(),
                        loss,
                        true);
                return loss.loss();
            });
        }
        microBatches.addAll(languageModelLoss(texts));
        StepResult result = actorEngine.step(microBatches);
        SkippedSteps.report("actor", result, rollouts(minibatch), collectives);
        return metrics.policy(statistics, updates, result, actor.type(), first, System.nanoTime() - begin);
    }

    private void criticStep(List<MinibatchTokens.Sample> minibatch, UpdateMetrics metrics) {
        long begin = System.nanoTime();
        long tokens = trainedTokens(minibatch);
        ValueLoss valueLoss = new ValueLoss(settings.valueClip());
        ValueStatistics statistics = new ValueStatistics();
        List<Backward> microBatches = new ArrayList<>();
        for (List<MinibatchTokens.Sample> share : shares(minibatch)) {
            microBatches.add(work -> {
                MinibatchTokens packed = MinibatchTokens.of(share);
                double[] loss = {0};
                critic.scoresAndBackward(
                        work, packed.packed().batch(), packed.packed().rows(), values -> {
                            float[] derivatives = new float[values.length];
                            for (int i = 0; i < values.length; i++) {
                                ValueLoss.Term term =
                                        valueLoss.of(values[i], packed.oldValues()[i], packed.returns()[i]);
                                statistics.add(term, values[i], packed.returns()[i]);
                                derivatives[i] = (float) (term.derivative() / tokens);
                                loss[0] += term.loss() / tokens;
                            }
                            return derivatives;
                        });
                return loss[0];
            });
        }
        StepResult result = criticEngine.step(microBatches);
        SkippedSteps.report("critic", result, rollouts(minibatch), collectives);
        metrics.value(statistics, result, System.nanoTime() - begin);
    }

    /** PPO-ptx (Ouyang et al. 2022, eq. 2): cross-entropy on unlabelled text, times its coefficient. */
    private List<Backward> languageModelLoss(List<TrainingRow> texts) {
        double coefficient = settings.ptx().coefficient();
        if (coefficient == 0 || texts.isEmpty()) {
            return List.of();
        }
        long tokens = PackedRows.ofTexts(texts, false).asked();
        List<Backward> microBatches = new ArrayList<>();
        List<TrainingRow> own = RowShares.of(texts, collectives.rank(), collectives.worldSize());
        for (List<TrainingRow> share : RowShares.microBatches(own, microBatchTokens)) {
            microBatches.add(work -> {
                PackedRows packed = PackedRows.ofTexts(share, false);
                float[] logProbs = actor.logProbsAndBackward(
                                work,
                                packed.batch(),
                                packed.rows(),
                                packed.targets(),
                                1f,
                                (index, logProb, entropy) -> (float) (-coefficient / tokens),
                                false)
                        .logProbs();
                double loss = 0;
                for (float logProb : logProbs) {
                    loss -= coefficient * logProb / tokens;
                }
                return loss;
            });
        }
        return microBatches;
    }

    private List<TrainingRow> textsOf(List<TrainingRow> texts, int step) {
        int size = settings.ptx().batchSize();
        List<TrainingRow> batch = new ArrayList<>();
        for (int i = 0; i < size && !texts.isEmpty(); i++) {
            batch.add(texts.get((step * size + i) % texts.size()));
        }
        return batch;
    }

    private double nextBeta(double beta, List<Rollout> rollouts) {
        if (!settings.kl().adaptive()) {
            return beta;
        }
        Divergence divergence = UpdateMetrics.divergence(rollouts);
        return new KlController.Adaptive(
                        beta, settings.kl().target(), settings.kl().horizon())
                .after(divergence.in(settings.kl().unit()), rollouts.size())
                .beta();
    }

    private List<List<MinibatchTokens.Sample>> shares(List<MinibatchTokens.Sample> minibatch) {
        List<Rollout> own = RowShares.of(rollouts(minibatch), collectives.rank(), collectives.worldSize());
        List<MinibatchTokens.Sample> samples = minibatch.stream()
                .filter(sample -> own.stream().anyMatch(rollout -> rollout == sample.rollout()))
                .toList();
        return RowShares.microBatches(samples, sample -> sample.rollout().tokens(), microBatchTokens);
    }

    private List<List<MinibatchTokens.Sample>> split(List<MinibatchTokens.Sample> samples) {
        List<List<MinibatchTokens.Sample>> parts = new ArrayList<>();
        int count = Math.min(settings.minibatches(), samples.size());
        for (int i = 0; i < count; i++) {
            parts.add(samples.subList(i * samples.size() / count, (i + 1) * samples.size() / count));
        }
        return parts;
    }

    private static List<Rollout> inOrder(List<Rollout> rollouts) {
        return rollouts.stream()
                .sorted(Comparator.comparing(Rollout::source)
                        .thenComparing(Rollout::key)
                        .thenComparing(Rollout::sample))
                .toList();
    }

    private static <T> List<T> shuffled(List<T> items, RandomStream stream) {
        List<T> shuffled = new ArrayList<>(items);
        for (int i = shuffled.size() - 1; i > 0; i--) {
            int other = stream.below(i + 1, i);
            T item = shuffled.get(i);
            shuffled.set(i, shuffled.get(other));
            shuffled.set(other, item);
        }
        return shuffled;
    }

    private static void requireSome(long iteration, List<Rollout> rollouts) {
        if (rollouts.isEmpty()) {
            throw new Rlhf4jException(
                    ErrorKind.RETRYABLE,
                    "iteration %d has no rollouts: every answer was dropped because a reward had no score for it"
                            .formatted(iteration));
        }
    }

    private static List<Rollout> rollouts(List<MinibatchTokens.Sample> minibatch) {
        return minibatch.stream().map(MinibatchTokens.Sample::rollout).toList();
    }

    private static long trainedTokens(List<MinibatchTokens.Sample> minibatch) {
        return minibatch.stream()
                .mapToLong(sample -> sample.rollout().trainedTokens())
                .sum();
    }
}
