package io.rlhf4j.driver.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rlhf4j.error.Rlhf4jException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import sun.misc.Signal;

class InterruptsTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Terminal terminal = Terminal.of(
            new ByteArrayInputStream(new byte[0]),
            new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aSignalAsksTheWorkToStop() throws InterruptedException {
        CountDownLatch asked = new CountDownLatch(1);
        try (Interrupts interrupts = Interrupts.handle(terminal)) {
            interrupts.check();
            interrupts.onStop(asked::countDown);
            Signal.raise(new Signal(StopSignal.name()));

            assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(interrupts.requested()).isTrue();
            assertThatThrownBy(interrupts::check).isInstanceOfSatisfying(Rlhf4jException.class, stopped -> assertThat(
                            stopped.kind().exitCode())
                    .isEqualTo(130));
        }
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("stopping (Ctrl-C again stops at once)");
    }

    @Test
    void withNothingToAskTheThreadIsInterrupted() {
        try (Interrupts interrupts = Interrupts.handle(terminal)) {
            interrupts.stop();
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}
