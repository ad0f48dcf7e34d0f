package io.rlhf4j.workers.collective.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tensor.Tensor;
import io.rlhf4j.workers.collective.CollectiveException;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.Ranks;
import io.rlhf4j.workers.collective.network.handshake.GroupSecret;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who comes to a rank's port and is none of the group is shown out in words, and the group comes together all the same. */
@Timeout(120)
class StrangersTest {
    private static final int MAGIC = 0x524c4834;
    private static final int VERSION = 1;
    private static final int HELLO = 0;
    private static final int CHALLENGE = 1;
    private static final int PROOF = 2;
    private static final int WELCOME = 3;

    private static final NetworkSettings SETTINGS =
            Meetings.settings(Duration.ofSeconds(30)).withJoinDeadline(Duration.ofSeconds(30));

    private final GroupIdentity identity = Meetings.identity();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void end() {
        threads.shutdownNow();
    }

    @Test
    void whateverStrangersSayTheyAreShownOutAndTheGroupWorks() throws Exception {
        try (Rendezvous first = Rendezvous.open(SETTINGS);
                Rendezvous second = Rendezvous.open(SETTINGS)) {
            List<String> addresses = List.of(first.address(), second.address());
            Future<Collectives> one = threads.submit(() -> first.meet(identity, 0, addresses));

            byte[] noise = new byte[100_000];
            new Random(5).nextBytes(noise);
            assertShownOut(first, text("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "a stranger");
            assertShownOut(first, text("SSH-2.0-OpenSSH_9.2\r\n"), "a stranger");
            assertShownOut(first, new byte[] {0x16, 3, 1, 2, 0, 1, 0}, "a stranger");
            assertShownOut(first, noise, "a stranger");
            assertShownOut(first, new byte[50_000], "a stranger");
            assertShownOut(first, message(VERSION, HELLO, new byte[4096], 65_535), "which cannot be");
            assertShownOut(first, message(VERSION, 9, new byte[4], 4), "which cannot be");
            assertShownOut(first, message(VERSION, PROOF, new byte[32], 32), "PROOF out of turn");
            assertShownOut(
                    first,
                    message(0, HELLO, hello("support", 1, 2, 1), hello("support", 1, 2, 1).length),
                    "speaks version 0 of the protocol and the other version 1");

            Future<Collectives> two = threads.submit(() -> second.meet(identity, 1, addresses));
            requireWorking(List.of(one.get(), two.get()));
        }
    }

    @Test
    void whoKnowsWhatToSayButNotTheSecretIsShownOut() throws Exception {
        try (Rendezvous first = Rendezvous.open(SETTINGS);
                Rendezvous second = Rendezvous.open(SETTINGS)) {
            List<String> addresses = List.of(first.address(), second.address());
            Future<Collectives> one = threads.submit(() -> first.meet(identity, 0, addresses));
            byte[] hello = hello("support", 1, 2, 1);
            try (Socket stranger = socket(first)) {
                stranger.getOutputStream().write(message(VERSION, HELLO, hello, hello.length));
                DataInputStream in = new DataInputStream(stranger.getInputStream());
                assertThat(in.readInt()).isEqualTo(MAGIC);
                assertThat(in.readShort()).isEqualTo((short) VERSION);
                assertThat(in.readByte()).isEqualTo((byte) CHALLENGE);
                byte[] challenge = in.readNBytes(in.readUnsignedShort());
                assertThat(challenge).hasSize(2 * GroupSecret.BYTES);
                // Its own proof is of no use to whoever was challenged.
                byte[] stolen = java.util.Arrays.copyOfRange(challenge, GroupSecret.BYTES, challenge.length);
                stranger.getOutputStream().write(message(VERSION, PROOF, stolen, stolen.length));
                assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                        .contains("the two ends know different secrets");
            }
            Future<Collectives> two = threads.submit(() -> second.meet(identity, 1, addresses));
            requireWorking(List.of(one.get(), two.get()));
        }
    }

    @Test
    void oneThatWelcomesWithoutProofIsNoRank() throws Exception {
        try (ServerSocket impostor = new ServerSocket(0);
                Rendezvous second = Rendezvous.open(SETTINGS)) {
            threads.submit(() -> {
                try (Socket dialled = impostor.accept()) {
                    dialled.getOutputStream().write(message(VERSION, WELCOME, new byte[0], 0));
                    return dialled.getInputStream().readAllBytes();
                }
            });
            String address = "127.0.0.1:" + impostor.getLocalPort();
            assertThat(failure(() -> second.meet(identity, 1, List.of(address, second.address()))))
                    .hasMessageContaining("rank 1 and rank 0 (" + address + ") do not come together")
                    .hasMessageContaining("has not proved to know the secret");
        }
    }

    @Test
    void ranksOfDifferentSecretsDoNotComeTogetherAndSayWhy() throws Exception {
        GroupIdentity other = new GroupIdentity(identity.run(), identity.generation(), GroupSecret.random());
        assertApart(other, "the two ends know different secrets: is one a rank of another run?");
    }

    @Test
    void aRankOfAnEarlierAttemptIsShownOut() throws Exception {
        GroupIdentity earlier = new GroupIdentity(identity.run(), identity.generation() - 1, identity.secret());
        assertApart(earlier, "is one a leftover of an earlier attempt?");
    }

    private void assertApart(GroupIdentity dialling, String words) throws Exception {
        NetworkSettings settings = SETTINGS.withJoinDeadline(Duration.ofSeconds(3));
        try (Rendezvous first = Rendezvous.open(settings);
                Rendezvous second = Rendezvous.open(settings)) {
            List<String> addresses = List.of(first.address(), second.address());
            Future<Throwable> waiting = threads.submit(() -> failure(() -> first.meet(identity, 0, addresses)));
            assertThat(failure(() -> second.meet(dialling, 1, addresses))).hasMessageContaining(words);
            assertThat(waiting.get())
                    .hasMessageContaining("rank 0 waited 3 s for rank(s) 1 to join; shown out meanwhile: /127.0.0.1")
                    .hasMessageContaining(words);
        }
    }

    private interface Meeting {
        Collectives meet() throws Exception;
    }

    private static Throwable failure(Meeting meeting) throws Exception {
        try (Collectives met = meeting.meet()) {
            throw new AssertionError("rank %d came through".formatted(met.rank()));
        } catch (CollectiveException failed) {
            return failed;
        }
    }

    private static void assertShownOut(Rendezvous rank, byte[] said, String words) throws IOException {
        try (Socket stranger = socket(rank)) {
            try {
                stranger.getOutputStream().write(said);
            } catch (SocketException shownOutAlready) {
                assertThat(said.length).isGreaterThan(1000);
            }
            assertThat(heard(stranger)).contains(words);
        }
    }

    /** All that is said until the connection ends. */
    private static String heard(Socket stranger) throws IOException {
        ByteArrayOutputStream heard = new ByteArrayOutputStream();
        try {
            InputStream in = stranger.getInputStream();
            for (int value = in.read(); value >= 0; value = in.read()) {
                heard.write(value);
            }
        } catch (SocketException reset) {
            // Bytes that nobody read make it a reset.
            assertThat(heard.size()).isPositive();
        }
        return heard.toString(StandardCharsets.UTF_8);
    }

    private static Socket socket(Rendezvous rank) throws IOException {
        Socket socket = new Socket("127.0.0.1", Integer.parseInt(rank.address().split(":")[1]));
        socket.setSoTimeout(20_000);
        return socket;
    }

    private static void requireWorking(List<Collectives> group) throws Exception {
        try (Ranks<Float> ranks = new Ranks<>(group)) {
            assertThat(ranks.all(member -> {
                        try (Scope scope = Scope.root(
                                Backends.onClassPath().choose("auto", 1).backend(), "rank")) {
                            Tensor tensor = scope.of(DType.FP32, new float[] {member.rank() + 1f}, 1);
                            member.allReduceSum(tensor);
                            return tensor.toFloats()[0];
                        }
                    }))
                    .isEqualTo(new ArrayList<>(List.of(3f, 3f)));
        }
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] message(int version, int kind, byte[] body, int length) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeShort(version);
        out.writeByte(kind);
        out.writeShort(length);
        out.write(body);
        return bytes.toByteArray();
    }

    private static byte[] hello(String run, long generation, int worldSize, int rank) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeUTF(run);
        out.writeLong(generation);
        out.writeInt(worldSize);
        out.writeInt(rank);
        out.writeUTF("terms");
        out.writeInt(0);
        out.writeUTF("nonce");
        return bytes.toByteArray();
    }
}
