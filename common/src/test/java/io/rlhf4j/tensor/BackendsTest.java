package io.rlhf4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BackendsTest {
    /** A provider whose backend is never computed with: the choice is what these tests are about. */
    private record Provider(String name, int priority, Optional<String> unusableBecause, Optional<String> drawback)
            implements BackendProvider {
        @Override
        public Backend create(MachineShare share) {
            return null;
        }
    }

    private static final Provider SLOW =
            new Provider("slow", 1, Optional.empty(), Optional.of("steps take ten times as long"));
    private static final Provider FAST = new Provider("fast", 2, Optional.empty(), Optional.empty());
    private static final Provider BLOCKED =
            new Provider("blocked", 3, Optional.of("the module jdk.incubator.vector is missing"), Optional.empty());

    @Test
    void theUsableOneOfHighestPriorityIsTakenAndNothingIsSaid() {
        Backends backends = new Backends(List.of(SLOW, FAST));

        assertThat(backends.names()).containsExactly("fast", "slow");
        assertThat(backends.choose("auto", 1).note()).isEmpty();
    }

    @Test
    void oneLineSaysWhyAFasterOneIsNotUsedAndWhatThatCosts() {
        assertThat(new Backends(List.of(SLOW, BLOCKED)).choose("auto", 1).note())
                .isEqualTo("backend 'blocked' is not used: the module jdk.incubator.vector is missing;"
                        + " backend 'slow': steps take ten times as long");
    }

    @Test
    void aNamedBackendIsTakenWhateverItsPriority() {
        assertThat(new Backends(List.of(SLOW, FAST)).choose("SLOW", 1).note())
                .isEqualTo("backend 'slow': steps take ten times as long");
    }

    @Test
    void anUnknownNameListsTheKnownOnes() {
        assertThatThrownBy(() -> new Backends(List.of(SLOW, FAST)).choose("gpu", 1))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CONFIGURATION))
                .hasMessage("there is no backend 'gpu'; on the class path are fast, slow; name one of them or 'auto'");
    }

    @Test
    void aNamedBackendThatCannotRunIsRefusedAndNotReplaced() {
        assertThatThrownBy(() -> new Backends(List.of(SLOW, BLOCKED)).choose("blocked", 1))
                .isInstanceOfSatisfying(
                        Rlhf4jException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.CLUSTER))
                .hasMessageContaining("the module jdk.incubator.vector is missing");
    }

    @Test
    void withoutAnyUsableBackendTheReasonsAreNamed() {
        assertThatThrownBy(() -> new Backends(List.of(BLOCKED)).choose("auto", 1))
                .hasMessageContaining("backend 'blocked' is not used");
        assertThatThrownBy(() -> new Backends(List.of()).choose("auto", 1)).hasMessageContaining("class path");
    }
}
