package io.rlhf4j.workers.collective.network.handshake;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** One end of a handshake. When it is done it leaves the pipeline to whoever joins the group. */
abstract class Handshake extends ByteToMessageDecoder {
    private final HandshakeListener listener;
    private final Duration deadline;
    private boolean over;

    Handshake(HandshakeListener listener, Duration deadline) {
        this.listener = listener;
        this.deadline = deadline;
    }

    /** Answers a message. */
    abstract void receive(ChannelHandlerContext context, Message message) throws HandshakeException, IOException;

    HandshakeListener listener() {
        return listener;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.executor()
                .schedule(
                        () -> refuse(context, "the handshake was not finished within " + deadline.toSeconds() + " s"),
                        deadline.toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        if (over) {
            in.skipBytes(in.readableBytes());
            return;
        }
        try {
            Optional<Message> message = Message.decode(in);
            if (message.isEmpty()) {
                return;
            }
            if (message.get().kind() == Message.Kind.REFUSAL) {
                end(context, new String(message.get().body(), StandardCharsets.UTF_8));
                return;
            }
            receive(context, message.get());
        } catch (HandshakeException | IOException wrong) {
            refuse(context, wrong.getMessage());
        }
    }

    static void send(ChannelHandlerContext context, Message.Kind kind, byte[] body) {
        context.writeAndFlush(new Message(kind, body).encode(context.alloc()));
    }

    /** What has been read beyond the handshake goes to the handlers that {@code joined} adds. */
    void join(ChannelHandlerContext context, int peer) {
        over = true;
        listener.joined(peer, context.channel());
        context.pipeline().remove(this);
    }

    private void refuse(ChannelHandlerContext context, String reason) {
        if (!over) {
            byte[] words = reason.getBytes(StandardCharsets.UTF_8);
            context.writeAndFlush(new Message(Message.Kind.REFUSAL, words).encode(context.alloc()))
                    .addListener(ChannelFutureListener.CLOSE);
            end(context, reason);
        }
    }

    private void end(ChannelHandlerContext context, String reason) {
        if (!over) {
            over = true;
            listener.failed(context.channel(), reason);
            context.executor().schedule(() -> context.close(), 1, TimeUnit.SECONDS);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end(context, "the connection was closed during the handshake");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        end(context, "the connection failed during the handshake: " + cause);
        context.close();
    }
}
