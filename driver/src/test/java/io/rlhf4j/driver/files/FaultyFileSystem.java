package io.rlhf4j.driver.files;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * The local disk under the scheme {@code faulty}, on which something happens to one file while it is written. Hadoop finds
 * it by its service file, in this process and in every configuration.
 */
public final class FaultyFileSystem extends RawLocalFileSystem {
    private static final AtomicReference<Fault> FAULT = new AtomicReference<>();

    /** What happens when so many bytes are written to a file whose path contains the pattern. */
    private record Fault(Pattern path, long bytes, Happening happening) {}

    /** What happens, on the thread that writes. */
    @FunctionalInterface
    public interface Happening {
        /** Does it; an exception is what the writer gets. */
        void run() throws IOException;
    }

    /**
     * Lets something happen, once.
     *
     * @param path regular expression found in the path of the file
     * @param bytes how many are written before it happens; 0 for when the file is made
     */
    public static void once(String path, long bytes, Happening happening) {
        FAULT.set(new Fault(Pattern.compile(path), bytes, happening));
    }

    /** Whether what was to happen has not happened yet; it will not any more. */
    public static boolean clear() {
        return FAULT.getAndSet(null) != null;
    }

    @Override
    public String getScheme() {
        return "faulty";
    }

    @Override
    public URI getUri() {
        return URI.create("faulty:///");
    }

    @Override
    public FSDataOutputStream create(
            Path path, boolean overwrite, int buffer, short replication, long block, Progressable progress)
            throws IOException {
        return watched(path, super.create(path, overwrite, buffer, replication, block, progress));
    }

    @Override
    public FSDataOutputStream create(
            Path path,
            FsPermission permission,
            boolean overwrite,
            int buffer,
            short replication,
            long block,
            Progressable progress)
            throws IOException {
        return watched(path, super.create(path, permission, overwrite, buffer, replication, block, progress));
    }

    private static FSDataOutputStream watched(Path path, FSDataOutputStream file) throws IOException {
        Fault fault = FAULT.get();
        if (fault == null || !fault.path().matcher(path.toString()).find()) {
            return file;
        }
        return new FSDataOutputStream(new Watched(file, fault), null);
    }

    private static final class Watched extends FilterOutputStream {
        private final Fault fault;
        private long written;

        Watched(OutputStream file, Fault fault) throws IOException {
            super(file);
            this.fault = fault;
            count(0);
        }

        @Override
        public void write(int single) throws IOException {
            count(1);
            out.write(single);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            count(length);
            out.write(bytes, offset, length);
        }

        private void count(int more) throws IOException {
            written += more;
            if (written >= fault.bytes() && FAULT.compareAndSet(fault, null)) {
                fault.happening().run();
            }
        }
    }
}
