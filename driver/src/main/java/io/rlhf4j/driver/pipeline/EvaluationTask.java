package io.rlhf4j.driver.pipeline;

import io.rlhf4j.config.RunConfig;
import io.rlhf4j.data.EvaluatedAnswer;
import io.rlhf4j.data.PromptRow;
import io.rlhf4j.model.ModelPasses;
import io.rlhf4j.reward.Answer;
import io.rlhf4j.tensor.Scope;
import java.util.List;
import java.util.Optional;

/** Answers held-out prompts and measures the answers, where tasks score. */
final class EvaluationTask extends ModelTask<EvaluatedAnswer> {
    private static final long serialVersionUID = 1L;

    /** An evaluation of one version of the published weights. */
    EvaluationTask(TaskSettings settings, long version) {
        super(settings, version);
    }

    @Override
    List<EvaluatedAnswer> work(RunConfig config, List<PromptRow> prompts, SlotModels models) {
        try (Scope work = models.published().scope().child("evaluation")) {
            List<Answer> answers = EvaluationAnswers.sample(config, prompts, models, work);
            return new AnswerEvaluation(
                            config, ModelPasses.here(models.published().actor()), models.frozen(), work)
                    .of(answers).stream().flatMap(Optional::stream).toList();
        }
    }
}
