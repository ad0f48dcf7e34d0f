package io.rlhf4j.model;

import io.rlhf4j.autograd.Operations;
import io.rlhf4j.autograd.Variable;
import io.rlhf4j.tensor.RotarySpec;
import java.util.function.UnaryOperator;

/**
 * What the layers of one forward pass have in common.
 *
 * @param operations run on the pass's tape
 * @param positions of all tokens in their sequences, [tokens]
 * @param rotary tables for these positions; null without rotary embedding
 * @param attending over which tokens attention goes
 * @param hooks around the use of each unit
 * @param checkpointing what is kept for the gradients
 */
record ForwardPass(
        Operations operations,
        int[] positions,
        RotarySpec rotary,
        Attending attending,
        UnitHooks hooks,
        ActivationCheckpointing checkpointing) {

    /** Runs a block. */
    Variable block(Variable input, UnaryOperator<Variable> layers) {
        return checkpointing == ActivationCheckpointing.BLOCK
                ? operations.tape().checkpoint(input, layers)
                : operations.tape().region(input, layers);
    }

    /** Runs the feed-forward layers of a block. */
    Variable feedForward(Variable input, UnaryOperator<Variable> layers) {
        return checkpointing == ActivationCheckpointing.SELECTIVE
                ? operations.tape().checkpoint(input, layers)
                : layers.apply(input);
    }

    /** Runs the layers of {@code unit} on {@code input} with the hooks around them, in the backward pass too. */
    Variable through(ParameterUnit unit, Variable input, UnaryOperator<Variable> layers) {
        operations.tape().onBackward(() -> {
            hooks.afterUse(unit);
            hooks.gradientsReady(unit);
        });
        hooks.beforeUse(unit);
        Variable output = layers.apply(input);
        hooks.afterUse(unit);
        operations.tape().onBackward(() -> {
            hooks.beforeUse(unit);
            hooks.beforeGradients(unit);
        });
        return output;
    }
}
