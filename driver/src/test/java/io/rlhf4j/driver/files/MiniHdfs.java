package io.rlhf4j.driver.files;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** HDFS in this JVM: a name node and three data nodes, with blocks of a megabyte, so that small files have several. */
public final class MiniHdfs implements AutoCloseable {
    private static final int DATA_NODES = 3;
    private static final long BLOCK_BYTES = 1 << 20;

    private final MiniDFSCluster cluster;
    private final Configuration configuration;

    private MiniHdfs(MiniDFSCluster cluster, Configuration configuration) {
        this.cluster = cluster;
        this.configuration = configuration;
    }

    /** Starts it; its disks lie in {@code folder}. */
    public static MiniHdfs start(Path folder) throws IOException {
        Configuration configuration = new HdfsConfiguration();
        configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.toString());
        configuration.setInt("dfs.replication", 2);
        configuration.setLong("dfs.blocksize", BLOCK_BYTES);
        // A node that is gone is noticed after seconds, not after ten minutes.
        configuration.setInt("dfs.heartbeat.interval", 1);
        configuration.setInt("dfs.namenode.heartbeat.recheck-interval", 500);
        MiniDFSCluster cluster = new MiniDFSCluster.Builder(configuration)
                .numDataNodes(DATA_NODES)
                .build();
        cluster.waitActive();
        return new MiniHdfs(cluster, configuration);
    }

    /** How a program reaches it that knows its address, and how files are cut and kept there. */
    public Configuration configuration() {
        Configuration client = new Configuration(configuration);
        client.set(FileSystem.FS_DEFAULT_NAME_KEY, "file:///");
        return client;
    }

    /** The address of a file: {@code hdfs://localhost:<port>/...}. */
    public org.apache.hadoop.fs.Path path(String file) {
        return new org.apache.hadoop.fs.Path(cluster.getURI() + file);
    }

    /** Its files. */
    public FileSystem files() throws IOException {
        return cluster.getFileSystem();
    }

    /** Ends a data node at once, as if its machine were lost. */
    public void loseDataNode() {
        cluster.stopDataNode(0);
    }

    @Override
    public void close() {
        cluster.shutdown(true);
    }
}
