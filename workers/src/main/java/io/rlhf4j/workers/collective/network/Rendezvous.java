package io.rlhf4j.workers.collective.network;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.workers.collective.CollectiveMetrics;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.GroupFailure;
import io.rlhf4j.workers.collective.network.handshake.Accepting;
import io.rlhf4j.workers.collective.network.handshake.Dialing;
import io.rlhf4j.workers.collective.network.handshake.HandshakeListener;
import io.rlhf4j.workers.collective.network.handshake.Member;
import io.rlhf4j.workers.collective.network.protocol.PlacedReceiving;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * How the ranks of a group find each other. Each listens, before it knows which rank it is; then of every two the one with the
 * higher rank dials. Strangers, and ranks of other runs or attempts, are shown out and the right ones waited for.
 */
public final class Rendezvous implements AutoCloseable {
    private static final Duration HANDSHAKE_DEADLINE = Duration.ofSeconds(10);

    /** How many may have dialled before this rank knows who they are. */
    private static final int WAITING = 1024;

    /** How many of those that were shown out an error names. */
    private static final int REFUSALS_SHOWN = 5;

    private final NetworkSettings settings;
    private final MultiThreadIoEventLoopGroup loops;
    private final EventLoop loop;
    private final Channel server;
    /** Done when all are here, or the group has failed. */
    private final CompletableFuture<Optional<GroupFailure>> met = new CompletableFuture<>();
    /** Of the group's thread. */
    private final List<String> refusals = new ArrayList<>();

    private GroupIdentity identity;
    private Member self;
    private Group group;

    private Rendezvous(NetworkSettings settings) {
        this.settings = settings;
        this.loops = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("rlhf4j-rank", true), NioIoHandler.newFactory());
        this.loop = loops.next();
        try {
            this.server = listen();
        } catch (RuntimeException | Error failed) {
            shutDown();
            throw failed;
        }
    }

    /**
     * Listens from now on; who dials waits for {@link #meet}.
     *
     * @throws Rlhf4jException of kind CLUSTER where no port of the range is free
     */
    public static Rendezvous open(NetworkSettings settings) {
        return new Rendezvous(settings);
    }

    /** Where the others reach this rank, as {@code host:port}. */
    public String address() {
        return settings.host() + ":" + ((InetSocketAddress) server.localAddress()).getPort();
    }

    private Channel listen() {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, WAITING)
                // Whoever dials waits until this rank knows the others' addresses.
                .option(ChannelOption.AUTO_READ, false)
                .childHandler(
                        initializer(() -> new Accepting(self, identity.secret(), new Accepted(), HANDSHAKE_DEADLINE)));
        options(bootstrap::childOption);
        ChannelFuture bound = null;
        for (int port = settings.ports().first(); port <= settings.ports().last(); port++) {
            bound = bootstrap.bind(port).awaitUninterruptibly();
            if (bound.isSuccess()) {
                return bound.channel();
            }
        }
        throw new Rlhf4jException(
                ErrorKind.CLUSTER,
                "a rank cannot listen on %s of %s".formatted(settings.ports(), settings.host()),
                bound.cause());
    }

    /**
     * Meets all other ranks, once.
     *
     * @param addresses of all ranks, by rank
     * @return this rank's end; to be closed
     * @throws io.rlhf4j.workers.collective.CollectiveException where the group does not come together
     */
    public Collectives meet(GroupIdentity groupIdentity, int rank, List<String> addresses) {
        List<Address> all = Address.all(addresses);
        int worldSize = all.size();
        if (rank < 0 || rank >= worldSize) {
            throw new IllegalArgumentException("rank %d of %d".formatted(rank, worldSize));
        }
        identity = groupIdentity;
        self = new Member(identity.run(), identity.generation(), worldSize, rank, terms(worldSize));
        CollectiveMetrics metrics = new CollectiveMetrics();
        group = new Group(rank, addresses, settings, loop, metrics);
        group.failed().thenAccept(failure -> met.complete(Optional.of(failure)));
        group.closed().thenRun(this::shutDown);
        group.execute(() -> {
            server.config().setAutoRead(true);
            all.stream().limit(rank).forEach(this::dial);
            completeWhereAllAreHere();
        });
        awaitAll();
        return new NetworkCollectives(rank, worldSize, settings, group, metrics);
    }

    /** What all ranks have to agree on. */
    private String terms(int worldSize) {
        return "sums in %s, pieces of %d bytes, %d bytes ahead, %s"
                .formatted(
                        settings.sumType(),
                        settings.pieceBytes(),
                        settings.windowBytes(worldSize),
                        ByteOrder.nativeOrder());
    }

    private void dial(Address address) {
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(
                        ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        Math.toIntExact(settings.joinDeadline().toMillis()))
                .handler(initializer(() -> new Dialing(
                        self, identity.secret(), address.rank(), new Dialled(address), HANDSHAKE_DEADLINE)));
        options(bootstrap::option);
        bootstrap.connect(address.host(), address.port()).addListener(connected -> {
            if (!connected.isSuccess()) {
                fail(
                        address.rank(),
                        "rank %d cannot reach rank %d at %s: %s"
                                .formatted(self.rank(), address.rank(), address, connected.cause()));
            }
        });
    }

    private interface Options {
        <T> void set(ChannelOption<T> option, T value);
    }

    private void options(Options options) {
        options.set(ChannelOption.TCP_NODELAY, true);
        options.set(ChannelOption.SO_KEEPALIVE, true);
        options.set(ChannelOption.ALLOW_HALF_CLOSURE, true);
        options.set(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT);
        options.set(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(settings.pieceBytes(), 2 * settings.pieceBytes()));
    }

    private static ChannelInitializer<SocketChannel> initializer(Supplier<ChannelHandler> handshake) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(SocketChannel channel) {
                channel.config().setRecvByteBufAllocator(new PlacedReceiving());
                channel.pipeline().addLast(handshake.get());
            }
        };
    }

    private void awaitAll() {
        loop.schedule(this::giveUp, settings.joinDeadline().toMillis(), TimeUnit.MILLISECONDS);
        Optional<GroupFailure> failure;
        try {
            failure = met.get();
        } catch (InterruptedException interrupted) {
            failure = Optional.of(GroupFailure.interrupted(self.rank(), "the meeting of the ranks", interrupted));
            GroupFailure first = failure.get();
            group.execute(() -> group.fail(first));
            Thread.currentThread().interrupt();
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
        if (failure.isPresent()) {
            group.execute(group::leave);
            throw failure.get().exception();
        }
    }

    private void giveUp() {
        if (!met.isDone()) {
            int[] missing = group.missing();
            String shownOut = refusals.isEmpty() ? "" : "; shown out meanwhile: " + String.join("; ", refusals);
            fail(
                    missing[0],
                    "rank %d waited %d s for rank(s) %s to join%s"
                            .formatted(
                                    self.rank(),
                                    settings.joinDeadline().toSeconds(),
                                    Arrays.stream(missing)
                                            .mapToObj(Integer::toString)
                                            .collect(Collectors.joining(", ")),
                                    shownOut));
        }
    }

    private void fail(int peer, String message) {
        group.fail(new GroupFailure(ErrorKind.RETRYABLE, peer, message, null));
    }

    private void join(int peer, Channel channel) {
        group.attach(peer, channel);
        completeWhereAllAreHere();
    }

    private void completeWhereAllAreHere() {
        if (group.missing().length == 0) {
            met.complete(Optional.empty());
        }
    }

    /** Nobody else is let in. What has met lives on. */
    @Override
    public void close() {
        server.close();
        if (group == null) {
            shutDown();
        }
    }

    private void shutDown() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS);
    }

    /** What becomes of those who dial this rank. */
    private final class Accepted implements HandshakeListener {
        @Override
        public boolean awaits(int peer) {
            return peer > self.rank() && group.awaits(peer);
        }

        @Override
        public void joined(int peer, Channel channel) {
            join(peer, channel);
        }

        @Override
        public void failed(Channel channel, String reason) {
            if (refusals.size() < REFUSALS_SHOWN) {
                refusals.add("%s (%s)".formatted(channel.remoteAddress(), reason));
            }
        }
    }

    /** What becomes of a rank that this one dials. */
    private final class Dialled implements HandshakeListener {
        private final Address address;

        Dialled(Address address) {
            this.address = address;
        }

        @Override
        public boolean awaits(int peer) {
            return group.awaits(peer);
        }

        @Override
        public void joined(int peer, Channel channel) {
            join(peer, channel);
        }

        @Override
        public void failed(Channel channel, String reason) {
            fail(
                    address.rank(),
                    "rank %d and rank %d (%s) do not come together: %s"
                            .formatted(self.rank(), address.rank(), address, reason));
        }
    }
}
