package io.rlhf4j.model;

/** Hears of every unit of a model once its values are loaded, before the next unit is, and may take them away. */
@FunctionalInterface
public interface LoadedUnits {
    /** Leaves them where they are. */
    LoadedUnits KEPT = unit -> {};

    /** All values of {@code unit} are there. */
    void loaded(ParameterUnit unit);
}
