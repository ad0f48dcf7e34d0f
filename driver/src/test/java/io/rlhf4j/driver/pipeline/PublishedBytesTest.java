package io.rlhf4j.driver.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.rlhf4j.driver.files.MiniHdfs;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What passes between ranks and HDFS for a version of the weights, as Hadoop counts it: one write, and one read by whoever loads it. */
@Timeout(170)
class PublishedBytesTest {
    @TempDir
    private static Path folder;

    private static MiniHdfs hdfs;

    @BeforeAll
    static void start() throws IOException {
        hdfs = MiniHdfs.start(folder.resolve("disks"));
    }

    @AfterAll
    static void stop() {
        hdfs.close();
    }

    @ParameterizedTest
    @CsvSource({"0,1", "0,3", "3,2"})
    void aVersionIsWrittenOnceAndReadOnce(int stage, int ranks) throws Exception {
        Configuration hadoop = hdfs.configuration();
        Publication published = new Publication(
                folder, hdfs.path("/runs").toString(), "counted-%d-%d".formatted(stage, ranks), "llama", stage, hadoop);
        long read = counted("bytesRead");
        long written = counted("bytesWritten");
        assertThat(published.by(ranks)).isEmpty();
        assertThat(counted("bytesRead") - read).isZero();
        FileSystem files = published.folder().getFileSystem(hadoop);
        long all = files.getContentSummary(published.folder()).getLength();
        assertThat(counted("bytesWritten") - written).isEqualTo(all);

        long weights = 0;
        for (String model : new String[] {"actor", "critic"}) {
            for (FileStatus file : files.listStatus(new org.apache.hadoop.fs.Path(published.folder(), model))) {
                weights += file.getPath().getName().endsWith(".safetensors") ? file.getLen() : 0;
            }
        }
        long others = all - weights;
        assertThat(others).isLessThan(weights / 10);
        published.load();
        assertThat(counted("bytesRead") - read).isBetween(weights, weights + 2 * others);
    }

    private static long counted(String what) {
        return FileSystem.getGlobalStorageStatistics().get("hdfs").getLong(what);
    }
}
