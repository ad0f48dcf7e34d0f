package io.rlhf4j.workers.engine;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A saved state, whoever wrote which part of it: any range of a tensor is put together from the pieces it was cut in. */
final class SavedPieces {
    /** As {@link ParameterSlice#named} writes them. */
    private static final Pattern CUT = Pattern.compile("(.+)\\[(\\d+):(\\d+)]");

    private record Piece(TensorReader reader, String storedName, long from, long to) {}

    private final Map<String, List<Piece>> pieces = new HashMap<>();
    private final String origin;

    /** What all files of a checkpoint hold together. */
    SavedPieces(List<TensorReader> files) {
        origin = files.stream().map(TensorReader::origin).collect(Collectors.joining(", "));
        for (TensorReader file : files) {
            file.tensors().forEach((name, info) -> {
                Matcher cut = CUT.matcher(name);
                Piece piece = cut.matches()
                        ? new Piece(file, name, Long.parseLong(cut.group(2)), Long.parseLong(cut.group(3)))
                        : new Piece(file, name, 0, info.elements());
                if (piece.to() - piece.from() != info.elements()) {
                    throw Rlhf4jException.data(
                            "%s: tensor '%s' has %d elements".formatted(origin, name, info.elements()));
                }
                pieces.computeIfAbsent(cut.matches() ? cut.group(1) : name, any -> new ArrayList<>())
                        .add(piece);
            });
        }
        pieces.values().forEach(list -> list.sort(Comparator.comparingLong(Piece::from)));
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
                            .formatted(origin, next, slice.to(), name));
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
