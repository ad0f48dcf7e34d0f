package io.rlhf4j.tensor;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** Chooses among the backends on the class path: the one that a configuration names, or the best usable one. */
public final class Backends {
    /** The name that stands for "the best usable one". */
    public static final String AUTO = "auto";

    private final List<BackendProvider> providers;

    /** A choice among {@code providers}. */
    public Backends(List<BackendProvider> providers) {
        this.providers = providers.stream()
                .sorted(Comparator.comparingInt(BackendProvider::priority)
                        .reversed()
                        .thenComparing(BackendProvider::name))
                .toList();
    }

    /** The backends that {@link ServiceLoader} finds on the class path. */
    public static Backends onClassPath() {
        return new Backends(ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .toList());
    }

    /**
     * A backend, and what a user should know about the choice.
     *
     * @param backend the chosen one
     * @param note one line that says why a faster backend is not used and what that costs; empty when nothing is lost
     */
    public record Choice(Backend backend, String note) {}

    /** Names of all backends found, best first. */
    public List<String> names() {
        return providers.stream().map(BackendProvider::name).toList();
    }

    /** A provider that can run here, and why better ones were passed over. */
    private record Usable(BackendProvider provider, List<String> obstacles) {}

    /**
     * Makes the backend called {@code name}, or the usable one of highest priority for {@link #AUTO}.
     *
     * @param share what it may use of the machine
     * @throws Rlhf4jException of kind CONFIGURATION for an unknown name, of kind CLUSTER where the backend cannot run here
     */
    public Choice choose(String name, MachineShare share) {
        Usable usable = usable(name);
        return new Choice(usable.provider().create(share), note(usable.provider(), usable.obstacles()));
    }

    /** {@link #choose(String, MachineShare)} of so many threads and no GPU. */
    public Choice choose(String name, int threads) {
        return choose(name, MachineShare.ofThreads(threads));
    }

    /** Name of the backend that {@link #choose} would make. */
    public String resolve(String name) {
        return usable(name).provider().name();
    }

    private Usable usable(String name) {
        return name.toLowerCase(Locale.ROOT).equals(AUTO) ? best() : named(name);
    }

    private Usable named(String name) {
        BackendProvider provider = providers.stream()
                .filter(candidate -> candidate.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> Rlhf4jException.configuration(
                        "there is no backend '%s'; on the class path are %s; name one of them or '%s'"
                                .formatted(name, String.join(", ", names()), AUTO)));
        Optional<String> obstacle = provider.unusableBecause();
        if (obstacle.isPresent()) {
            throw cluster("backend '%s' cannot run here: %s; set the backend to '%s' to take the best one that can"
                    .formatted(provider.name(), obstacle.get(), AUTO));
        }
        return new Usable(provider, List.of());
    }

    private Usable best() {
        List<String> obstacles = new ArrayList<>();
        for (BackendProvider provider : providers) {
            Optional<String> obstacle = provider.unusableBecause();
            if (obstacle.isEmpty()) {
                return new Usable(provider, obstacles);
            }
            if (provider.isExpected()) {
                obstacles.add("backend '%s' is not used: %s".formatted(provider.name(), obstacle.get()));
            }
        }
        throw cluster("no backend can run here: "
                + (obstacles.isEmpty()
                        ? "none is on the class path; is the jar of rlhf4j-common complete?"
                        : String.join("; ", obstacles)));
    }

    private static String note(BackendProvider chosen, List<String> obstacles) {
        List<String> clauses = new ArrayList<>(obstacles);
        chosen.drawback().ifPresent(cost -> clauses.add("backend '%s': %s".formatted(chosen.name(), cost)));
        return clauses.stream().collect(Collectors.joining("; "));
    }

    private static Rlhf4jException cluster(String message) {
        return new Rlhf4jException(ErrorKind.CLUSTER, message);
    }
}
