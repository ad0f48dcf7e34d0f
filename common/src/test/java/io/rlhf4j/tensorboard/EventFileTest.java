package io.rlhf4j.tensorboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EventFileTest {
    private static final Instant TIME = Instant.ofEpochMilli(1_700_000_000_250L);

    @Test
    void aFileBeginsAsThoseOfTensorFlowDo() {
        byte[] bytes = new EventFile(TIME).bytes();
        // 24 bytes of event, and the checksum that stands in every file that TensorFlow writes.
        assertThat(HexFormat.of().formatHex(bytes, 0, 12)).isEqualTo("1800000000000000a37f4b22");
        assertThat(EventReader.read(bytes))
                .containsExactly(new EventReader.Event(1_700_000_000.25, 0, "brain.Event:2", false, Map.of()));
    }

    @Test
    void whatIsWrittenIsReadBack() {
        EventFile file = new EventFile(TIME);
        file.scalars(TIME, 300, Map.of("train/loss", 0.5, "train/\u00fcber", Double.NaN));
        file.restart(TIME, 1L << 40);

        List<EventReader.Event> events = EventReader.read(file.bytes());
        assertThat(events).hasSize(3);
        assertThat(events.get(1).step()).isEqualTo(300);
        assertThat(events.get(1).scalars())
                .containsEntry("train/loss", 0.5f)
                .containsEntry("train/\u00fcber", Float.NaN)
                .hasSize(2);
        assertThat(events.get(2).restart()).isTrue();
        assertThat(events.get(2).step()).isEqualTo(1L << 40);
    }

    @Test
    void aByteThatChangedIsNoticed() {
        byte[] bytes = new EventFile(TIME).bytes();
        bytes[20] ^= 1;
        assertThatThrownBy(() -> EventReader.read(bytes)).hasMessageContaining("checksum");
    }
}
