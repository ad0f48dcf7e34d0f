package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.Rollout;
import io.rlhf4j.data.TrainingRow;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.rollout.AnswerScoring;
import io.rlhf4j.workers.rollout.JudgedRollouts;
import io.rlhf4j.workers.rollout.Judgement;
import io.rlhf4j.workers.rollout.JudgementExchange;
import io.rlhf4j.workers.rollout.SampledAnswer;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import io.rlhf4j.workers.runtime.WorkPhase;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.broadcast.Broadcast;

/**
 * An update whose ranks first score the answers that it learns from, each its share, by the models that they hold together:
 * no executor needs to have room for all models.
 */
final class ScoringUpdateTask extends UpdateTask {
    private static final long serialVersionUID = 1L;

    private final Broadcast<ArrayList<SampledAnswer>> answers;
    private final RolloutClock clock;

    /** The update of the iteration whose number {@code state} has. */
    ScoringUpdateTask(
            TaskSettings settings,
            long saved,
            StateId state,
            double beta,
            Broadcast<ArrayList<SampledAnswer>> answers,
            RolloutClock clock,
            List<TrainingRow> texts,
            Saving saving) {
        super(settings, saved, state, beta, texts, saving);
        this.answers = answers;
        this.clock = clock;
    }

    @Override
    Experience experience(RunConfig config, TrainedModels models, RankContext context) throws IOException {
        WorkPhase.SCORE.begins("rank %d, iteration %d".formatted(context.rank(), state().version()));
        long begin = System.nanoTime();
        List<SampledAnswer> all = answers.value();
        JudgementExchange exchange = new JudgementExchange(all, context.collectives());
        List<Optional<Judgement>> own = judge(config, models, context, exchange.own());
        List<Optional<Judgement>> judgements = exchange.all(own);
        JudgedRollouts judged = new JudgedRollouts(config.ppo(), beta());
        List<Rollout> rollouts = judged.of(all, judgements);
        IterationJobs.requireSome(rollouts, state().version());
        clock.add(0, (System.nanoTime() - begin) * 1e-9, 0);
        return new Experience(rollouts, judged.of(exchange.own(), own));
    }

    private List<Optional<Judgement>> judge(
            RunConfig config, TrainedModels models, RankContext context, List<SampledAnswer> own) throws IOException {
        AnswerTexts texts = AnswerTexts.take(context.slot(), settings(), config);
        try {
            FrozenModels frozen = FrozenModels.take(context.slot(), settings(), config, context.collectives());
            List<Optional<Judgement>> judgements;
            try (Scope work = TaskSettings.scope(context.slot(), config, "scoring")) {
                judgements = new AnswerScoring(
                                new ModelPasses<>(models.actor(), models.actorEngine()),
                                frozen.reference(),
                                new ModelPasses<>(models.critic(), models.criticEngine()),
                                frozen.rewards(),
                                texts.tokenizer(),
                                config.ppo(),
                                config.compute().microBatchTokens(),
                                work)
                        .judge(own);
            } catch (RuntimeException | Error failed) {
                frozen.close();
                throw failed;
            }
            frozen.giveBack(context.slot());
            texts.giveBack(context.slot(), settings(), config);
            return judgements;
        } catch (IOException | RuntimeException | Error failed) {
            texts.close();
            throw failed;
        }
    }
}
