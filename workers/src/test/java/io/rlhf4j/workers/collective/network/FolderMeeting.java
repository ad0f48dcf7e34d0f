package io.rlhf4j.workers.collective.network;

import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.network.handshake.GroupSecret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** How ranks in JVMs of this machine meet: they leave their addresses in a folder. */
public final class FolderMeeting {
    private FolderMeeting() {}

    /** Waits for all ranks. */
    public static Collectives join(Path folder, int rank, int ranks, Duration deadline) {
        GroupIdentity identity = new GroupIdentity("folder", 0, new GroupSecret(new byte[GroupSecret.BYTES]));
        return NetworkGroup.join(identity, rank, ranks, NetworkSettings.of("127.0.0.1", deadline), own -> {
            try {
                Path written = Files.writeString(folder.resolve("joining-" + rank), own);
                Files.move(written, folder.resolve("address-" + rank), StandardCopyOption.ATOMIC_MOVE);
                List<String> addresses = new ArrayList<>();
                for (int other = 0; other < ranks; other++) {
                    while (!Files.exists(folder.resolve("address-" + other))) {
                        Thread.sleep(20);
                    }
                    addresses.add(Files.readString(folder.resolve("address-" + other)));
                }
                return addresses;
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        });
    }
}
