package io.rlhf4j.workers.collective.nccl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three ranks in processes that share one GPU. NCCL refuses this on one host, so that each is told to be another host, and
 * they speak through sockets of this machine: slowly, but with everything that ranks on several hosts do.
 */
class ProcessesOnOneGpuTest {
    private static final int RANKS = 3;

    @TempDir
    private Path folder;

    @BeforeEach
    void needsAGpu() {
        Gpus.require(1);
    }

    @Test
    void sumsGathersAndBroadcastsHaveTheBitsOfTheOrderOfTheRanks() throws Exception {
        List<Integer> exitCodes = run("operations");
        assertThat(exitCodes).as(logs()).containsExactly(0, 0, 0);
        for (int rank = 0; rank < RANKS; rank++) {
            assertThat(Files.readAllLines(log(rank))).contains("all equal");
        }
    }

    @Test
    void whereOneDiesInTheMidstTheOthersLetTheirGpuGoAndNameIt() throws Exception {
        List<Integer> exitCodes = run("lost");
        assertThat(exitCodes).as(logs()).containsExactly(5, GpuRank.DEAD, 5);
        for (int rank : new int[] {0, 2}) {
            assertThat(Files.readString(log(rank)))
                    .contains("lost the connection to rank 1")
                    .contains("the GPU goes on");
        }
    }

    private String logs() throws IOException {
        StringBuilder logs = new StringBuilder();
        for (int rank = 0; rank < RANKS; rank++) {
            logs.append("rank ").append(rank).append(":\n").append(Files.readString(log(rank)));
        }
        return logs.toString();
    }

    private Path log(int rank) {
        return folder.resolve("log-" + rank);
    }

    private List<Integer> run(String what) throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        try {
            for (int rank = 0; rank < RANKS; rank++) {
                processes.add(start(what, rank));
            }
            List<Integer> exitCodes = new ArrayList<>();
            for (int rank = 0; rank < RANKS; rank++) {
                assertThat(processes.get(rank).waitFor(2, TimeUnit.MINUTES))
                        .as(Files.readString(log(rank)))
                        .isTrue();
                exitCodes.add(processes.get(rank).exitValue());
            }
            return exitCodes;
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private Process start(String what, int rank) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> option.startsWith("--add-"))
                .forEach(command::add);
        command.addAll(List.of(
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                GpuRank.class.getName(),
                folder.toString(),
                what,
                Integer.toString(rank),
                Integer.toString(RANKS)));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log(rank).toFile());
        builder.environment().put("NCCL_HOSTID", "host-" + rank);
        builder.environment().put("NCCL_SOCKET_IFNAME", "lo");
        builder.environment().put("NCCL_IB_DISABLE", "1");
        builder.environment().put("NCCL_DEBUG", "WARN");
        return builder.start();
    }
}
