package io.rlhf4j.workers.collective.network;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Stands between two ranks and does something to one frame of what one of them sends, once they have shaken hands: to its head
 * or its words, to whether and how often it comes. Elements and messages, whose bytes TCP alone answers for, pass as they are.
 */
final class TamperingProxy implements AutoCloseable {
    /** Bytes of the heads of frames, by kind: call, piece, credit, failure, farewell. */
    private static final int[] HEADS = {16, 21, 4, 9, 0};

    private static final int CALL = 0;
    private static final int PIECE = 1;
    private static final int FAILURE = 3;

    /** Of a handshake's message, with the length in the last two. */
    private static final int MESSAGE_HEAD = 9;

    private final ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final int port;
    private final boolean ofDialler;
    private final int frame;
    private final Random random;
    private volatile String done = "nothing";

    /**
     * A proxy that waits for one connection.
     *
     * @param port of the rank that is dialled
     * @param ofDialler whether it is the dialling rank whose frame is changed
     * @param frame which one, from 0
     */
    TamperingProxy(int port, boolean ofDialler, int frame, Random random) throws IOException {
        this.port = port;
        this.ofDialler = ofDialler;
        this.frame = frame;
        this.random = random;
        threads.submit(this::connect);
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    /** In words, what was done. */
    String done() {
        return done;
    }

    private Void connect() throws IOException {
        Socket dialler = server.accept();
        Socket dialled = new Socket(InetAddress.getLoopbackAddress(), port);
        threads.submit(() -> pass(dialler, dialled, ofDialler));
        threads.submit(() -> pass(dialled, dialler, !ofDialler));
        return null;
    }

    private Void pass(Socket from, Socket to, boolean tamper) throws IOException {
        try (from;
                to) {
            DataInputStream in = new DataInputStream(from.getInputStream());
            OutputStream out = to.getOutputStream();
            for (int message = 0; message < 2; message++) {
                byte[] head = in.readNBytes(MESSAGE_HEAD);
                out.write(head);
                out.write(in.readNBytes(ByteBuffer.wrap(head).getShort(MESSAGE_HEAD - 2)));
            }
            for (int number = 0; passFrame(in, out, tamper && number == frame); number++) {
                out.flush();
            }
        } catch (EOFException over) {
            return null;
        }
        return null;
    }

    private boolean passFrame(DataInputStream in, OutputStream out, boolean tamper) throws IOException {
        int kind = in.read();
        if (kind < 0) {
            return false;
        }
        byte[] head = new byte[1 + HEADS[kind]];
        head[0] = (byte) kind;
        in.readFully(head, 1, HEADS[kind]);
        byte[] body = in.readNBytes(bodyBytes(kind, ByteBuffer.wrap(head)));
        if (!tamper) {
            out.write(head);
            out.write(body);
            return true;
        }
        int words = kind == CALL ? ByteBuffer.wrap(head).getInt(9) : kind == FAILURE ? body.length : 0;
        return tampered(head, words, body, out);
    }

    private static int bodyBytes(int kind, ByteBuffer frame) {
        return switch (kind) {
            case CALL -> frame.getInt(9) + frame.getInt(13);
            case PIECE -> frame.getInt(18);
            case FAILURE -> frame.getInt(6);
            default -> 0;
        };
    }

    /** @param words bytes of the body that are words of the protocol */
    private boolean tampered(byte[] head, int words, byte[] body, OutputStream out) throws IOException {
        int place = random.nextInt(head.length + words);
        byte[] changed = place < head.length ? head : body;
        int at = place < head.length ? place : place - head.length;
        String what = "frame %d of kind %d".formatted(frame, head[0]);
        switch (random.nextInt(6)) {
            case 0, 1 -> {
                done = "byte %d of %s changed".formatted(place, what);
                changed[at] ^= (byte) (1 << random.nextInt(8));
            }
            case 2 -> {
                done = what + " twice";
                out.write(head);
                out.write(body);
            }
            case 3 -> {
                done = what + " left out";
                return true;
            }
            case 4 -> {
                done = "nothing after byte %d of %s".formatted(place, what);
                out.write(head, 0, Math.min(place, head.length));
                out.write(body, 0, Math.max(0, place - head.length));
                return false;
            }
            default -> {
                done = "noise before " + what;
                byte[] noise = new byte[1 + random.nextInt(40)];
                random.nextBytes(noise);
                out.write(noise);
            }
        }
        out.write(head);
        out.write(body);
        return true;
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
    }
}
