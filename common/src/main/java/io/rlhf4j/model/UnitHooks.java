package io.rlhf4j.model;

/**
 * What happens around the use of a unit's parameters, in the forward and in the backward pass: the place where a sharded
 * unit is gathered and released, and where its gradients are reduced as soon as they are complete.
 */
public interface UnitHooks {
    /** Hooks that do nothing. */
    UnitHooks NONE = new UnitHooks() {};

    /** Whether all values stay where they are, so that a pass without gradients needs no hook. */
    default boolean valuesStay() {
        return true;
    }

    /** Before the first operation that reads the unit's values, once in each pass. */
    default void beforeUse(ParameterUnit unit) {}

    /** After the last operation that reads the unit's values in this pass. */
    default void afterUse(ParameterUnit unit) {}

    /** In the backward pass, before an addition to the unit's gradients. They stay until {@link #gradientsReady}. */
    default void beforeGradients(ParameterUnit unit) {}

    /** In the backward pass, after the last addition to the unit's gradients. */
    default void gradientsReady(ParameterUnit unit) {}
}
