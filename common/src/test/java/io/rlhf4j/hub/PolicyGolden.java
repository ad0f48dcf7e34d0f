package io.rlhf4j.hub;

import static io.rlhf4j.hub.GoldenAssertions.assertRelative;
import static io.rlhf4j.hub.GoldenAssertions.assertWithin;

import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.TokenGradient;
import java.io.IOException;

/** The {@code ppo.*} fields of a golden model: a clipped policy loss (Schulman et al. 2017) and its gradients. */
final class PolicyGolden {
    private static final double CLIP = 0.2;

    private final Backend backend;
    private final GoldenModel golden;

    PolicyGolden(Backend backend, GoldenModel golden) {
        this.backend = backend;
        this.golden = golden;
    }

    void check() throws IOException {
        ResponseColumns columns = new ResponseColumns(golden);
        float[] old = columns.of(golden.floats("ppo.old_logp"));
        float[] advantages = columns.of(golden.floats("ppo.advantages"));
        int tokens = old.length;
        TokenGradient gradient = (index, logProb, entropy) -> {
            double ratio = Math.exp(logProb - old[index]);
            boolean clipped = advantages[index] > 0 ? ratio > 1 + CLIP : ratio < 1 - CLIP;
            return clipped ? 0f : (float) (-advantages[index] * ratio / tokens);
        };
        try (Scope scope = Scope.root(backend, "golden")) {
            CausalLanguageModel model = golden.load(scope);
            model.allocateGradients(scope, DType.FP32);
            float[] logProbs = model.logProbsAndBackward(
                            scope, golden.batch("right"), columns.rows(), columns.targets(), 1f, gradient, false)
                    .logProbs();
            assertWithin(1e-4, logProbs, columns.of(golden.floats("ppo.logp")), "ppo.logp");
            double loss = 0;
            for (int i = 0; i < tokens; i++) {
                double ratio = Math.exp(logProbs[i] - old[i]);
                double bounded = Math.max(1 - CLIP, Math.min(1 + CLIP, ratio));
                loss += Math.max(-advantages[i] * ratio, -advantages[i] * bounded) / tokens;
            }
            assertRelative(1e-3, loss, golden.scalar("ppo.policy_loss").doubleValue(), "policy loss");
            ModelGoldenTest.assertGradients(golden, "ppo.grad.", model);
            assertRelative(
                    1e-4,
                    ModelGoldenTest.gradientNorm(model.units()),
                    golden.scalar("ppo.grad_norm").doubleValue(),
                    "gradient norm");
        }
    }
}
