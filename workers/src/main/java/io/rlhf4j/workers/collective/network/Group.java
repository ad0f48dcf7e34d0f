package io.rlhf4j.workers.collective.network;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.workers.collective.CollectiveMetrics;
import io.rlhf4j.workers.collective.GroupFailure;
import io.rlhf4j.workers.collective.network.protocol.ProtocolException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The group as one rank sees it: the links to all others and the operations under way. All of it belongs to one thread, the
 * event loop; other threads hand it work by {@link #execute}.
 */
final class Group implements Transfer.Peers {
    /** How long what is on its way to a peer may take to leave once the group has ended. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    /** How long farewells may take. */
    private static final Duration LINGER = Duration.ofSeconds(5);

    private final int rank;
    private final NetworkSettings settings;
    private final EventLoop loop;
    private final CollectiveMetrics metrics;
    private final Link[] links;
    private final List<Link> others = new ArrayList<>();
    private final Map<Long, Exchange> underWay = new HashMap<>();
    private final CompletableFuture<GroupFailure> failed = new CompletableFuture<>();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private long lastBegun;
    private GroupFailure failure;
    private boolean leaving;

    /**
     * A group whose links are not there yet.
     *
     * @param addresses of all ranks, for messages
     */
    Group(int rank, List<String> addresses, NetworkSettings settings, EventLoop loop, CollectiveMetrics metrics) {
        this.rank = rank;
        this.settings = settings;
        this.loop = loop;
        this.metrics = metrics;
        this.links = new Link[addresses.size()];
        for (int peer = 0; peer < links.length; peer++) {
            if (peer != rank) {
                links[peer] = new Link(this, peer, addresses.get(peer), settings.windowBytes(links.length));
                others.add(links[peer]);
            }
        }
    }

    // ---- from other threads

    /** Does something in the group's thread; where that fails the group ends. */
    void execute(Runnable action) {
        loop.execute(() -> {
            try {
                action.run();
            } catch (RuntimeException | Error unexpected) {
                fail(GroupFailure.aborted(rank, "", unexpected));
            }
        });
    }

    /** Done when the group has ended for a cause. */
    CompletableFuture<GroupFailure> failed() {
        return failed;
    }

    /** Done when all farewells are said, or given up. */
    CompletableFuture<Void> closed() {
        return closed;
    }

    // ---- in the group's thread, for this rank

    void attach(int peer, Channel channel) {
        links[peer].attach(channel, settings.pieceBytes());
    }

    boolean awaits(int peer) {
        return peer >= 0 && peer < links.length && links[peer] != null && !links[peer].isOpen();
    }

    /** The ranks whose link is not there. */
    int[] missing() {
        return others.stream()
                .filter(link -> !link.isOpen())
                .mapToInt(Link::peer)
                .toArray();
    }

    void begin(Exchange exchange) {
        lastBegun = exchange.sequence();
        if (failure != null) {
            exchange.fail(failure);
            return;
        }
        for (Link link : others) {
            if (link.hasLeft()) {
                exchange.fail(fail(GroupFailure.hasLeft(link.peer(), exchange.operation())));
                return;
            }
        }
        underWay.put(exchange.sequence(), exchange);
        exchange.begin(rank, links.length);
        others.forEach(link -> link.call(exchange));
        exchange.transfer().begin(exchange, this);
        for (Link link : others) {
            if (failure == null) {
                link.begun(exchange);
            }
        }
        endWhereDone(exchange);
    }

    void timeOut(Exchange exchange) {
        if (underWay.containsKey(exchange.sequence())) {
            BitSet takers = new BitSet();
            others.stream().filter(Link::isSending).forEach(link -> takers.set(link.peer()));
            int[] absent = exchange.awaited(takers);
            fail(GroupFailure.waitedInVain(
                    rank, settings.deadline(), absent.length > 0 ? absent : new int[] {rank}, exchange.operation()));
        }
    }

    void abort(Throwable cause) {
        fail(GroupFailure.aborted(rank, " on " + settings.host(), cause));
    }

    /** Ends the group, unless it has ended: the first failure is kept, and told to all. Returns that one. */
    GroupFailure fail(GroupFailure newFailure) {
        if (failure != null) {
            return failure;
        }
        failure = newFailure;
        others.forEach(link -> link.fail(failure));
        List.copyOf(underWay.values()).forEach(exchange -> exchange.fail(failure));
        underWay.values().removeIf(exchange -> !exchange.hasWrites());
        if (!underWay.isEmpty()) {
            // A peer that does not read holds memory of tensors; it is let go, and so are they.
            loop.schedule(this::closeLinks, GRACE.toMillis(), TimeUnit.MILLISECONDS);
        }
        failed.complete(failure);
        return failure;
    }

    void leave() {
        if (leaving) {
            return;
        }
        underWay.values().stream()
                .findAny()
                .ifPresent(exchange -> fail(GroupFailure.hasLeft(rank, exchange.operation())));
        leaving = true;
        others.forEach(Link::leave);
        loop.schedule(this::closeLinks, LINGER.toMillis(), TimeUnit.MILLISECONDS);
        closeWhereAlone();
    }

    private void closeLinks() {
        others.forEach(Link::close);
    }

    private void closeWhereAlone() {
        if (leaving && others.stream().noneMatch(Link::isOpen)) {
            closed.complete(null);
        }
    }

    // ---- in the group's thread, for operations

    @Override
    public void send(int peer, Outgoing outgoing) {
        links[peer].send(outgoing);
    }

    @Override
    public void usedUp(int peer, int bytes) {
        links[peer].usedUp(bytes);
    }

    // ---- in the group's thread, for links

    /** The operation under way of that number, or null. */
    Exchange exchange(long sequence) {
        return failure == null ? underWay.get(sequence) : null;
    }

    /** Whether this rank is done with the operation of that number. */
    boolean isOver(long sequence) {
        return sequence <= lastBegun && !underWay.containsKey(sequence);
    }

    void called(Exchange exchange, int peer, String operation, byte[] content) {
        if (!operation.equals(exchange.operation())) {
            fail(GroupFailure.disagreement(rank, exchange.operation(), peer, operation));
            return;
        }
        exchange.called(peer, content);
        endWhereDone(exchange);
    }

    /** Netty has let go of a piece. It may say so in the midst of other work on the operation, which is done first. */
    void written(Exchange exchange, Link link, Throwable cause) {
        exchange.writeEnds();
        if (cause != null) {
            loop.execute(() -> link.ended(cause));
        }
        if (failure == null) {
            if (cause == null && exchange.isDone()) {
                loop.execute(() -> endWhereDone(exchange));
            }
        } else {
            exchange.endWhereFailed();
            underWay.values().removeIf(each -> !each.hasWrites());
        }
    }

    void endWhereDone(Exchange exchange) {
        if (failure == null && exchange.isDone() && underWay.remove(exchange.sequence()) != null) {
            metrics.add(exchange.operation(), exchange.sentBytes(), exchange.receivedBytes(), exchange.nanoseconds());
            exchange.succeed();
        }
    }

    void left(Link link) {
        underWay.values().stream()
                .filter(exchange -> exchange.awaits(link.peer()))
                .findFirst()
                .ifPresent(waiting -> fail(GroupFailure.hasLeft(link.peer(), waiting.operation())));
    }

    void ended(Link link, Throwable cause) {
        boolean expected = leaving || link.hasLeft();
        if (!expected) {
            fail(new GroupFailure(ErrorKind.RETRYABLE, link.peer(), lost(link, cause), cause));
        }
        closeWhereAlone();
    }

    private String lost(Link link, Throwable cause) {
        if (cause instanceof ProtocolException) {
            return "rank %d cannot understand rank %d (%s): %s"
                    .formatted(rank, link.peer(), link.address(), cause.getMessage());
        }
        return "rank %d lost the connection to rank %d (%s)%s: the executor died, was killed, or cannot be reached"
                .formatted(rank, link.peer(), link.address(), cause == null ? "" : " by " + cause);
    }
}
