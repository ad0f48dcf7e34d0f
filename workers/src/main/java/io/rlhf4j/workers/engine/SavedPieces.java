package io.rlhf4j.workers.engine;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorInfo;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.tensor.Tensor;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** A saved state, whoever wrote which part of it: any range of a tensor is put together from the pieces it was cut in. */
final class SavedPieces implements Closeable {
    /** As {@link ParameterSlice#named} writes them. */
    private static final Pattern CUT = Pattern.compile("(.+)\\[(\\d{1,18}):(\\d{1,18})]");

    private record Piece(TensorReader reader, String storedName, long from, long to) {}

    private final List<TensorReader> readers = new ArrayList<>();
    private final Map<String, List<Piece>> pieces = new HashMap<>();

    /** What some files hold together. */
    SavedPieces(List<Path> files, Configuration hadoop) throws IOException {
        try {
            for (Path file : files) {
                TensorReader reader = new TensorFiles(hadoop).open(file);
                readers.add(reader);
                reader.tensors().values().forEach(tensor -> add(reader, tensor));
            }
        } catch (IOException | RuntimeException damaged) {
            close();
            throw damaged;
        }
        pieces.values().forEach(list -> list.sort(Comparator.comparingLong(Piece::from)));
    }

    private void add(TensorReader reader, TensorInfo tensor) {
        Matcher cut = CUT.matcher(tensor.name());
        boolean part = cut.matches();
        long from = part ? Long.parseLong(cut.group(2)) : 0;
        long to = part ? Long.parseLong(cut.group(3)) : tensor.elements();
        if (to - from != tensor.elements()) {
            throw Rlhf4jException.data("%s: tensor '%s' has %d elements, not as many as its name says"
                    .formatted(reader.origin(), tensor.name(), tensor.elements()));
        }
        pieces.computeIfAbsent(part ? cut.group(1) : tensor.name(), name -> new ArrayList<>())
                .add(new Piece(reader, tensor.name(), from, to));
    }

    /** Reads what {@code slice} covers of the parameter's tensor of this kind. */
    void read(String kind, ParameterSlice slice, Tensor held) throws IOException {
        String name = kind + "/" + slice.parameter().name();
        Tensor target = slice.of(held);
        long next = slice.from();
        for (Piece piece : pieces.getOrDefault(name, List.of())) {
            long end = Math.min(piece.to(), slice.to());
            if (piece.from() <= next && next < end) {
                read(piece, next, end, target.slice((int) (next - slice.from()), (int) (end - slice.from())));
                next = end;
            }
        }
        if (next < slice.to()) {
            throw Rlhf4jException.data(
                    ("%s: elements %d to %d of '%s' are not there; is it a checkpoint of the same model and optimizer, with"
                                    + " the files of all ranks?")
                            .formatted(origin(), next, slice.to(), name));
        }
    }

    private String origin() {
        return readers.stream().map(TensorReader::origin).collect(Collectors.joining(", "));
    }

    @Override
    public void close() throws IOException {
        for (TensorReader reader : readers) {
            reader.close();
        }
    }

    private static void read(Piece piece, long from, long to, Tensor target) throws IOException {
        piece.reader().read(piece.storedName(), (offset, values, count) -> {
            long first = piece.from() + offset;
            int begin = (int) Math.max(0, from - first);
            int end = (int) Math.min(count, to - first);
            if (begin < end) {
                int at = Math.toIntExact(first + begin - from);
                target.backend().write(target.slice(at, at + end - begin), values, begin);
            }
        });
    }
}
