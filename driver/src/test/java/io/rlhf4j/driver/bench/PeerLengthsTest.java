package io.rlhf4j.driver.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PeerLengthsTest {
    /** {@code r = random.Random(7); [r.randint(16, 512) for _ in range(16)]} in Python 3.11. */
    @Test
    void rowsAreAsLongAsPythonsRandomNumbersMakeThem() {
        assertThat(PeerLengths.rows(16, 512))
                .containsExactly(181, 501, 93, 218, 349, 40, 53, 436, 290, 64, 203, 314, 45, 481, 275, 125);
        assertThat(PeerLengths.rows(16, 20))
                .containsExactly(18, 17, 19, 16, 16, 20, 16, 18, 20, 16, 20, 17, 16, 16, 19, 19);
    }

    /** What PyTorch 2.15 makes of {@code randperm(32)} with seed 3. */
    @Test
    void answersAreAsLongAsPyTorchsOrderMakesThem() {
        assertThat(PeerLengths.answers(32, 256))
                .startsWith(88, 136, 80, 104, 40, 144, 200, 64)
                .endsWith(72, 160);
    }

    @Test
    void answersHaveEvenlySpreadLengthsInAnyOrder() {
        assertThat(PeerLengths.answers(32, 256)).hasSize(32).contains(8, 16, 24, 256);
        assertThat(IntStream.of(PeerLengths.answers(32, 256)).sum()).isEqualTo(32 * (8 + 256) / 2);
        assertThat(PeerLengths.answers(1, 256)).containsExactly(8);
    }
}
