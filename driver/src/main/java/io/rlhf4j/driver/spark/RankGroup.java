package io.rlhf4j.driver.spark;

import io.rlhf4j.config.ClusterConfig.Transport;
import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.workers.collective.Collectives;
import io.rlhf4j.workers.collective.nccl.NcclCollectives;
import io.rlhf4j.workers.collective.network.GroupIdentity;
import io.rlhf4j.workers.collective.network.NetworkSettings;
import io.rlhf4j.workers.collective.network.Rendezvous;
import io.rlhf4j.workers.collective.network.handshake.GroupSecret;
import io.rlhf4j.workers.runtime.RankAgreement;
import io.rlhf4j.workers.runtime.WorkerRuntime;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;

/**
 * The group of one attempt of one job: its ranks meet within their JVM where one executor has all of them, else over the
 * network, where they know each other by a secret that only this attempt's tasks are told.
 */
final class RankGroup implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final Duration LONGEST_MEETING = Duration.ofMinutes(1);

    /** What Spark calls the only executor of local mode. */
    private static final String DRIVER = "driver";

    private final String job = UUID.randomUUID().toString();
    private final byte[] secret = GroupSecret.random().bytes();
    private final Duration deadline;
    private final Transport transport;

    /**
     * The group of a new attempt.
     *
     * @param deadline how long one rank waits for the others at a collective operation
     * @param transport how tensors go from rank to rank
     */
    RankGroup(Duration deadline, Transport transport) {
        this.deadline = deadline;
        this.transport = transport;
    }

    /** Where a task waits for the others, before anybody knows who is which rank. To be closed when they have met, or not. */
    final class Door implements AutoCloseable {
        private final Rendezvous network;

        private Door(Rendezvous network) {
            this.network = network;
        }

        /** Where tasks in other JVMs reach this one; empty where all are in this one for certain. */
        String address() {
            return network == null ? "" : network.address();
        }

        /**
         * Joins the group. All tasks call it, with the same claims and agreement.
         *
         * @param claims by task
         * @return to be closed
         * @throws io.rlhf4j.workers.collective.CollectiveException where the ranks do not come together
         */
        Collectives join(WorkerRuntime runtime, int rank, List<RankAgreement.Claim> claims, RankAgreement agreement) {
            boolean inOneJvm =
                    claims.stream().map(RankAgreement.Claim::jvm).distinct().count() == 1;
            if (transport == Transport.NETWORK) {
                return meet(runtime, rank, claims, agreement, inOneJvm);
            }
            RankAgreement.requireGpuEach(claims);
            if (!inOneJvm) {
                requireUnprovenAllowed(SparkEnv.get().conf());
            }
            return overGpus(meet(runtime, rank, claims, agreement, inOneJvm));
        }

        private Collectives overGpus(Collectives group) {
            try {
                return NcclCollectives.over(group, DType.FP32, deadline);
            } catch (Rlhf4jException missing) {
                group.abort(missing);
                group.close();
                throw missing;
            }
        }

        private Collectives meet(
                WorkerRuntime runtime,
                int rank,
                List<RankAgreement.Claim> claims,
                RankAgreement agreement,
                boolean inOneJvm) {
            if (inOneJvm) {
                return runtime.join(job, rank, claims.size(), deadline);
            }
            SparkEnv environment = SparkEnv.get();
            requireClearAllowed(environment.conf());
            String[] addresses = new String[claims.size()];
            for (int task = 0; task < addresses.length; task++) {
                addresses[agreement.ranks().get(task)] = claims.get(task).address();
            }
            return network.meet(new GroupIdentity(job, 0, groupSecret(environment)), rank, List.of(addresses));
        }

        @Override
        public void close() {
            if (network != null) {
                network.close();
            }
        }
    }

    /**
     * Waits for the other tasks from now on.
     *
     * @param tasks of the job
     */
    Door open(int tasks) {
        SparkEnv environment = SparkEnv.get();
        if (tasks == 1 || environment.executorId().equals(DRIVER)) {
            return new Door(null);
        }
        // The address under which Spark itself reaches the executor; a machine may have others that nobody reaches.
        String host = environment.blockManager().blockManagerId().host();
        Duration meeting = deadline.compareTo(LONGEST_MEETING) < 0 ? deadline : LONGEST_MEETING;
        return new Door(Rendezvous.open(NetworkSettings.of(host, deadline).withJoinDeadline(meeting)));
    }

    /** What came with the task; under Spark's authentication bound to Spark's own secret, which never crosses the network. */
    private GroupSecret groupSecret(SparkEnv environment) {
        GroupSecret told = new GroupSecret(secret);
        if (!environment.securityManager().isAuthenticationEnabled()) {
            return told;
        }
        return told.boundTo(environment.securityManager().getSecretKey().getBytes(StandardCharsets.UTF_8));
    }

    /** NCCL takes whoever dials for a rank: not between executors where Spark is told that they prove who they are. */
    static void requireUnprovenAllowed(SparkConf conf) {
        if (conf.getBoolean("spark.authenticate", false)) {
            throw new Rlhf4jException(
                    ErrorKind.CLUSTER,
                    "spark.authenticate is true, but with cluster.collectives: nccl ranks on several executors do not"
                            + " prove to each other who they are; set cluster.collectives to network, or give one"
                            + " executor as many cores and GPUs as there are ranks");
        }
    }

    /** Ranks prove who they are, but what they send is not encrypted: not where Spark is told to encrypt. */
    static void requireClearAllowed(SparkConf conf) {
        Stream.of("spark.network.crypto.enabled", "spark.authenticate.enableSaslEncryption", "spark.ssl.rpc.enabled")
                .filter(key -> conf.getBoolean(key, false))
                .findFirst()
                .ifPresent(key -> {
                    throw new Rlhf4jException(
                            ErrorKind.CLUSTER,
                            ("%s is true, but ranks on several executors send weights and gradients to each other in the"
                                            + " clear; give one executor as many cores as there are ranks, which then"
                                            + " need no network, or use a network that is closed to others and set it to false")
                                    .formatted(key));
                });
    }
}
