package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.model.TransformerConfig.BlockLayout;

/** Attention and feed-forward with their residual connections. */
final class TransformerBlock {
    private final ParameterUnit unit;
    private final BlockLayout layout;
    private final Normalization attentionNorm;
    private final Normalization attentionOutputNorm;
    private final Normalization feedForwardNorm;
    private final Normalization feedForwardOutputNorm;
    private final SelfAttention attention;
    private final FeedForward feedForward;

    TransformerBlock(TransformerConfig config, int layer) {
        this.unit = new ParameterUnit("blocks." + layer);
        this.layout = config.layout();
        boolean sandwich = layout == BlockLayout.SANDWICH;
        this.attentionNorm = norm(config, "attention.norm", true);
        this.attention = new SelfAttention(config, unit, layer);
        this.attentionOutputNorm = norm(config, "attention.outputNorm", sandwich);
        this.feedForwardNorm = norm(config, "feedForward.norm", layout != BlockLayout.PARALLEL);
        this.feedForward = new FeedForward(config, unit);
        this.feedForwardOutputNorm = norm(config, "feedForward.outputNorm", sandwich);
    }

    private Normalization norm(TransformerConfig config, String name, boolean present) {
        return present ? new Normalization(config.norm(), unit, name, config.hiddenSize()) : null;
    }

    ParameterUnit unit() {
        return unit;
    }

    /** From the hidden states before this block to those after it, [tokens, hidden]. */
    Variable forward(ForwardPass pass, Variable x) {
        Operations f = pass.operations();
        return switch (layout) {
            case PRE_NORM -> {
                Variable attended = attention.forward(pass, attentionNorm.forward(f, x), x);
                yield fed(pass, feedForwardNorm, attended, attended);
            }
            case POST_NORM -> {
                Variable attended = attentionNorm.forward(f, attention.forward(pass, x, x));
                yield feedForwardNorm.forward(f, fed(pass, null, attended, attended));
            }
            case SANDWICH -> {
                Variable attention = this.attention.forward(pass, attentionNorm.forward(f, x), null);
                Variable attended = f.add(x, attentionOutputNorm.forward(f, attention));
                Variable fed = fed(pass, feedForwardNorm, attended, null);
                yield f.add(attended, feedForwardOutputNorm.forward(f, fed));
            }
            case PARALLEL -> {
                Variable normed = attentionNorm.forward(f, x);
                Variable attended = attention.forward(pass, normed, x);
                yield fed(pass, null, normed, attended);
            }
            case PARALLEL_TWO_NORMS -> {
                Variable attended = attention.forward(pass, attentionNorm.forward(f, x), x);
                yield fed(pass, feedForwardNorm, x, attended);
            }
        };
    }

    /** The feed-forward layers, behind their norm where they have one, added to {@code residual} where it is not null. */
    private Variable fed(ForwardPass pass, Normalization norm, Variable x, Variable residual) {
        Operations f = pass.operations();
        return pass.feedForward(x, y -> feedForward.forward(f, norm == null ? y : norm.forward(f, y), residual));
    }
}
