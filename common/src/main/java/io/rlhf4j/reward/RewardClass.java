package io.rlhf4j.reward;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.util.Map;

/** Makes a reward from the name of a class. */
final class RewardClass {
    private RewardClass() {}

    /**
     * An instance of the class called {@code name}, made with {@code settings} where it has a constructor for them.
     *
     * @throws Rlhf4jException of kind CONFIGURATION where there is no such class, or it is no reward
     */
    static Reward make(String name, Map<String, String> settings) {
        Class<? extends Reward> type = find(name);
        try {
            for (Constructor<?> constructor : type.getConstructors()) {
                if (constructor.getParameterCount() == 1 && constructor.getParameterTypes()[0] == Map.class) {
                    return type.cast(constructor.newInstance(settings));
                }
            }
            if (!settings.isEmpty()) {
                throw Rlhf4jException.configuration(
                        "reward class '%s' is given settings %s, but has no public constructor that takes a Map"
                                .formatted(name, settings.keySet()));
            }
            return type.getConstructor().newInstance();
        } catch (InvocationTargetException failed) {
            throw new Rlhf4jException(
                    ErrorKind.CONFIGURATION,
                    "reward class '%s' cannot be made: %s".formatted(name, failed.getCause()),
                    failed.getCause());
        } catch (ReflectiveOperationException unfit) {
            throw new Rlhf4jException(
                    ErrorKind.CONFIGURATION,
                    "reward class '%s' has no public constructor without parameters or with a Map of settings"
                            .formatted(name),
                    unfit);
        }
    }

    private static Class<? extends Reward> find(String name) {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ClassLoader loader = context == null ? RewardClass.class.getClassLoader() : context;
        try {
            return Class.forName(name, true, loader).asSubclass(Reward.class);
        } catch (ClassNotFoundException missing) {
            throw new Rlhf4jException(
                    ErrorKind.CONFIGURATION,
                    "there is no class '%s' on the class path; is its jar given with --jars?".formatted(name),
                    missing);
        } catch (ClassCastException other) {
            throw new Rlhf4jException(
                    ErrorKind.CONFIGURATION,
                    "class '%s' does not implement %s".formatted(name, Reward.class.getName()),
                    other);
        }
    }
}
