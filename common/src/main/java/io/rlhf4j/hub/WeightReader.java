package io.rlhf4j.hub;

import io.rlhf4j.error.ErrorKind;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.model.LoadedUnits;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.family.HubTensor;
import io.rlhf4j.model.family.WeightNames;
import io.rlhf4j.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Fills a model's parameters from a file, and refuses a file that does not hold exactly them. */
final class WeightReader {
    private static final int NAMED_IN_MESSAGES = 5;

    private final TensorReader file;
    private final WeightNames names;

    WeightReader(TensorReader file, WeightNames names) {
        this.file = file;
        this.names = names;
    }

    /**
     * Reads every tensor of {@code binding}, unit by unit. When it returns the file is verified; what {@code loaded} has heard of
     * before is of no use where it throws.
     *
     * @param fresh names those that the file need not have
     * @param memory gives a unit its memory, before the first of its tensors is read
     * @param loaded hears when the last of them is
     */
    void read(WeightBinding binding, Set<String> fresh, Consumer<ParameterUnit> memory, LoadedUnits loaded)
            throws IOException {
        try {
            readAll(binding, fresh, memory, loaded);
        } catch (Rlhf4jException unusable) {
            if (unusable.kind() == ErrorKind.DATA) {
                // Damage says more than what it has led to.
                file.verify();
            }
            throw unusable;
        }
        file.verify();
    }

    private void readAll(WeightBinding binding, Set<String> fresh, Consumer<ParameterUnit> memory, LoadedUnits loaded)
            throws IOException {
        requireWhole(binding, fresh);
        ParameterUnit unit = null;
        for (HubTensor tensor : binding.tensors().values()) {
            if (tensor.parameter().unit() != unit) {
                if (unit != null) {
                    loaded.loaded(unit);
                }
                unit = tensor.parameter().unit();
                memory.accept(unit);
            }
            String stored = storedName(tensor.name());
            if (file.contains(stored)) {
                read(tensor, stored);
            }
        }
        loaded.loaded(unit);
    }

    private void read(HubTensor tensor, String stored) throws IOException {
        requireShape(tensor, stored);
        Tensor rows = tensor.rowsOf(tensor.parameter().value());
        if (tensor.inOrder()) {
            file.read(stored, rows);
        } else {
            rows.backend().write(rows, tensor.fromFile(file.readFloats(stored)), 0);
        }
        if (!Double.isFinite(rows.backend().sumOfSquares(rows))) {
            throw Rlhf4jException.data("%s: tensor '%s' holds NaN or infinite numbers; was the training that wrote it "
                            .formatted(file.origin(), stored)
                    + "stable, and the file copied whole?");
        }
    }

    /** The name in this file; the usual one where it is missing. */
    private String storedName(String name) {
        return file.contains(name)
                ? name
                : names.otherNames(name).stream()
                        .filter(file::contains)
                        .findFirst()
                        .orElse(name);
    }

    private void requireWhole(WeightBinding binding, Set<String> fresh) {
        List<String> missing = new ArrayList<>();
        Set<String> used = new HashSet<>();
        for (String name : binding.tensors().keySet()) {
            String stored = storedName(name);
            used.add(stored);
            if (!file.contains(stored) && !fresh.contains(name)) {
                missing.add(name);
            }
        }
        if (!missing.isEmpty()) {
            throw Rlhf4jException.data("%s: %s missing; is config.json of the same model, and are all shards there?"
                    .formatted(file.origin(), list(missing)));
        }
        List<String> unexpected = file.tensors().keySet().stream()
                .filter(name -> !used.contains(name) && !names.ignorable(name))
                .toList();
        if (!unexpected.isEmpty()) {
            throw Rlhf4jException.data(
                    "%s: %s not part of a model of type '%s' as config.json describes it; is config.json "
                                    .formatted(
                                            file.origin(),
                                            list(unexpected),
                                            binding.family().modelType())
                            + "of the same model?");
        }
    }

    private void requireShape(HubTensor tensor, String stored) {
        List<Integer> shape = file.info(stored).shape();
        if (!shape.equals(tensor.shape())) {
            throw Rlhf4jException.data(
                    "%s: tensor '%s' has shape %s, the configuration asks for %s; is config.json of the same model?"
                            .formatted(file.origin(), stored, shape, tensor.shape()));
        }
    }

    private static String list(List<String> tensors) {
        if (tensors.size() == 1) {
            return "tensor '%s' is".formatted(tensors.get(0));
        }
        String first = String.join("', '", tensors.subList(0, Math.min(NAMED_IN_MESSAGES, tensors.size())));
        return "%d tensors ('%s'%s) are"
                .formatted(tensors.size(), first, tensors.size() > NAMED_IN_MESSAGES ? ", ..." : "");
    }
}
