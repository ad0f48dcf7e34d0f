package io.rlhf4j.driver.pipeline;

import io.rlhf4j.batch.RowShares;
import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.EvaluatedAnswer;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.workers.runtime.RankContext;
import io.rlhf4j.workers.runtime.StateId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.broadcast.Broadcast;

/** Measures answers to held-out prompts, where the ranks score: each its share, by their places among all. */
@SuppressWarnings("rawtypes") // The classes that Spark moves are known by name, and that has no type arguments.
final class EvaluationScoring extends TrainedTask<LinkedHashMap> {
    private static final long serialVersionUID = 1L;

    private final Broadcast<ArrayList<Answer>> answers;

    /** Of answers of the actor of {@code state}. */
    EvaluationScoring(TaskSettings settings, long saved, StateId state, Broadcast<ArrayList<Answer>> answers) {
        super(settings, saved, state);
        this.answers = answers;
    }

    @Override
    LinkedHashMap work(RunConfig config, TrainedModels models, RankContext context) throws IOException {
        List<Answer> all = answers.value();
        List<Integer> own = RowShares.of(
                IntStream.range(0, all.size()).boxed().toList(),
                index -> all.get(index).promptIds().length + all.get(index).responseIds().length,
                context.rank(),
                context.collectives().worldSize());
        FrozenModels frozen = FrozenModels.take(context.slot(), settings(), config, context.collectives());
        LinkedHashMap<Integer, EvaluatedAnswer> evaluated = new LinkedHashMap<>();
        try (Scope work = TaskSettings.scope(context.slot(), config, "evaluation")) {
            List<Optional<EvaluatedAnswer>> numbers = new AnswerEvaluation(
                            config, new ModelPasses<>(models.actor(), models.actorEngine()), frozen, work)
                    .of(own.stream().map(all::get).toList());
            for (int i = 0; i < numbers.size(); i++) {
                int place = own.get(i);
                numbers.get(i).ifPresent(answer -> evaluated.put(place, answer));
            }
        } catch (RuntimeException | Error failed) {
            frozen.close();
            throw failed;
        }
        frozen.giveBack(context.slot());
        return evaluated;
    }

    @Override
    public String what() {
        return "the evaluation after iteration " + state().version();
    }

    @Override
    StateId after() {
        return state();
    }
}
