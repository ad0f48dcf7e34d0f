package io.rlhf4j.driver.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;

/**
 * What this machine's sockets give without anything around them: one thread sends a buffer again and again, another one
 * receives it, over a connection of the loopback device. What {@code iperf3} measures.
 */
final class SocketCopy implements AutoCloseable {
    private static final int BUFFER = 256 << 10;

    private final SocketChannel sender;
    private final SocketChannel receiver;
    private final ByteBuffer sent = ByteBuffer.allocateDirect(BUFFER);
    private final ByteBuffer received = ByteBuffer.allocateDirect(BUFFER);

    /** A connection. */
    SocketCopy() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            sender = SocketChannel.open(server.getLocalAddress());
            receiver = server.accept();
        }
        sender.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /** Moves so many bytes. */
    void run(long bytes) {
        CompletableFuture<Void> receiving = CompletableFuture.runAsync(() -> receive(bytes));
        try {
            for (long left = bytes; left > 0; ) {
                sent.clear().limit((int) Math.min(BUFFER, left));
                while (sent.hasRemaining()) {
                    left -= sender.write(sent);
                }
            }
        } catch (IOException failed) {
            throw new UncheckedIOException("a socket of this machine cannot be written to", failed);
        }
        receiving.join();
    }

    private void receive(long bytes) {
        try {
            for (long left = bytes; left > 0; ) {
                received.clear();
                int count = receiver.read(received);
                if (count < 0) {
                    throw new IOException("the connection was closed");
                }
                left -= count;
            }
        } catch (IOException failed) {
            throw new UncheckedIOException("a socket of this machine cannot be read from", failed);
        }
    }

    @Override
    public void close() throws IOException {
        sender.close();
        receiver.close();
    }
}
