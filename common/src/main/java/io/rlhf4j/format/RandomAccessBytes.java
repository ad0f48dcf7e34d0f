package io.rlhf4j.format;

import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** A file that is read at any place, by any number of threads. */
sealed interface RandomAccessBytes extends OpenFile
        permits RandomAccessBytes.Mapped, RandomAccessBytes.Streamed, HashedBytes {
    /** The most bytes that one {@link #read} gives. */
    int MAXIMUM_READ = 1 << 22;

    /** The file's length in bytes. */
    long length();

    /** {@code count} bytes from {@code position} on, at most {@link #MAXIMUM_READ}, little-endian; not to be written. */
    ByteBuffer read(long position, int count) throws IOException;

    /** Opens a file: memory-mapped where it is local, else by reads at a position. */
    static RandomAccessBytes open(Path file, Configuration configuration) throws IOException {
        FileSystem fileSystem = PlainFiles.fileSystem(file, configuration);
        FileStatus status = PlainFiles.status(fileSystem, file);
        if (fileSystem instanceof RawLocalFileSystem local) {
            return Mapped.of(local.pathToFile(file));
        }
        return new Streamed(fileSystem.open(file), status.getLen());
    }

    /**
     * A local file, mapped in segments of one GiB. A segment reaches {@link #MAXIMUM_READ} into the next one, so that every
     * read lies within one segment.
     */
    record Mapped(long length, ByteBuffer[] segments) implements RandomAccessBytes {
        private static final int SEGMENT_BITS = 30;

        static Mapped of(File file) throws IOException {
            try (FileChannel channel = FileChannel.open(file.toPath(), StandardOpenOption.READ)) {
                long length = channel.size();
                ByteBuffer[] segments = new ByteBuffer[Math.toIntExact((length >>> SEGMENT_BITS) + 1)];
                for (int i = 0; i < segments.length; i++) {
                    long begin = (long) i << SEGMENT_BITS;
                    long size = Math.min(length - begin, (1L << SEGMENT_BITS) + MAXIMUM_READ);
                    segments[i] = channel.map(FileChannel.MapMode.READ_ONLY, begin, size);
                }
                return new Mapped(length, segments);
            }
        }

        @Override
        public ByteBuffer read(long position, int count) throws IOException {
            requireWithin(position, count, length);
            int begin = (int) (position & ((1L << SEGMENT_BITS) - 1));
            return segments[(int) (position >>> SEGMENT_BITS)]
                    .slice(begin, count)
                    .order(ByteOrder.LITTLE_ENDIAN);
        }

        /** Nothing to do: the file is closed already, and a mapping ends with its buffers. */
        @Override
        public void close() {}
    }

    /** A file behind a Hadoop stream. */
    record Streamed(FSDataInputStream stream, long length) implements RandomAccessBytes {
        @Override
        public ByteBuffer read(long position, int count) throws IOException {
            requireWithin(position, count, length);
            byte[] bytes = new byte[count];
            stream.readFully(position, bytes);
            return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public void close() throws IOException {
            stream.close();
        }
    }

    private static void requireWithin(long position, int count, long length) throws EOFException {
        if (position < 0 || count < 0 || count > MAXIMUM_READ || position > length - count) {
            throw new EOFException("%d bytes at %d of a file of %d bytes".formatted(count, position, length));
        }
    }
}
