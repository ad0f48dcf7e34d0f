package io.rlhf4j.workers.collective.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.CollectiveException;
import io.rlhf4j.workers.collective.Collectives;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever happens to a frame between two ranks, they come to the right numbers or say in words that they cannot. */
@Timeout(300)
class TamperedWireTest {
    private static final int TRIES = 100;
    private static final int FRAMES = 30;
    private static final int ELEMENTS = 5000;
    private static final Duration DEADLINE = Duration.ofSeconds(1);
    private static final NetworkSettings SETTINGS =
            Meetings.settings(DEADLINE).withJoinDeadline(Duration.ofSeconds(30));

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @Test
    void noFrameThatWasChangedIsTaken() throws Exception {
        Random random = new Random(11);
        int failed = 0;
        for (int i = 0; i < TRIES; i++) {
            failed += tampered(random) ? 1 : 0;
        }
        threads.shutdownNow();
        // A farewell more or less, or credit that nobody needed, changes nothing.
        assertThat(failed).isGreaterThan(TRIES / 2);
    }

    private boolean tampered(Random random) throws Exception {
        GroupIdentity identity = Meetings.identity();
        try (Rendezvous first = Rendezvous.open(SETTINGS);
                Rendezvous second = Rendezvous.open(SETTINGS);
                TamperingProxy proxy = new TamperingProxy(
                        Integer.parseInt(first.address().split(":")[1]),
                        random.nextBoolean(),
                        random.nextInt(FRAMES),
                        random)) {
            Future<Boolean> one =
                    threads.submit(work(() -> first.meet(identity, 0, List.of(first.address(), second.address()))));
            Future<Boolean> two =
                    threads.submit(work(() -> second.meet(identity, 1, List.of(proxy.address(), second.address()))));
            return result(one, proxy) | result(two, proxy);
        }
    }

    /** Whether the rank has failed; it fails in no other way than a collective does. */
    private static boolean result(Future<Boolean> rank, TamperingProxy proxy) throws InterruptedException {
        try {
            return rank.get();
        } catch (ExecutionException unexpected) {
            throw new AssertionError(proxy.done(), unexpected.getCause());
        }
    }

    private static Callable<Boolean> work(Callable<Collectives> meeting) {
        return () -> {
            long begin = System.nanoTime();
            try (Collectives ranks = meeting.call();
                    Scope scope =
                            Scope.root(Backends.onClassPath().choose("auto", 1).backend(), "rank")) {
                for (int round = 0; round < 3; round++) {
                    requireSum(ranks, scope);
                    requireMessages(ranks, round);
                }
                return false;
            } catch (CollectiveException failed) {
                assertThat(failed.getMessage()).contains("rank");
                assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(40));
                return true;
            }
        };
    }

    private static void requireSum(Collectives ranks, Scope scope) {
        float[] values = new float[ELEMENTS];
        for (int i = 0; i < ELEMENTS; i++) {
            values[i] = i + ranks.rank();
        }
        Tensor tensor = scope.of(DType.FP32, values, ELEMENTS);
        ranks.allReduceSum(tensor);
        float[] sum = tensor.toFloats();
        for (int i = 0; i < ELEMENTS; i++) {
            assertThat(sum[i]).isEqualTo(2f * i + 1);
        }
        scope.free(tensor);
    }

    private static void requireMessages(Collectives ranks, int round) {
        byte[] own = "round %d of rank %d".formatted(round, ranks.rank()).getBytes(StandardCharsets.UTF_8);
        List<String> all = ranks.allGather(own).stream()
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .toList();
        assertThat(all).containsExactly("round %d of rank 0".formatted(round), "round %d of rank 1".formatted(round));
    }
}
