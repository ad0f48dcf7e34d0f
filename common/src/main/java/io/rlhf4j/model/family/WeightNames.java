package io.rlhf4j.model.family;

import io.rlhf4j.model.Parameter;
import io.rlhf4j.model.TransformerConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a family calls the layers of the transformer, and how their weights lie in its files. Names are those of layers; a
 * layer's {@code weight} and {@code bias} follow it. {@code {}} stands for the number of a block.
 */
public final class WeightNames {
    private static final String USUAL_HEAD = "lm_head";
    private static final Pattern BLOCK = Pattern.compile("^blocks\\.(\\d+)\\.");

    private enum Kind {
        WHOLE,
        TRANSPOSED,
        QUERIES_KEYS_VALUES,
        HALVES,
        INTERLEAVED_HEADS
    }

    private record Rule(Kind kind, List<String> files) {}

    private final String prefix;
    private final Map<String, Rule> rules = new LinkedHashMap<>();
    private final List<Pattern> ignored = new ArrayList<>();
    private String head = USUAL_HEAD;

    private WeightNames(String prefix) {
        this.prefix = prefix;
    }

    /** Names whose backbone's begin with {@code prefix}; a file of the bare backbone leaves it out. */
    static WeightNames under(String prefix) {
        return new WeightNames(prefix);
    }

    /** Our layer {@code own} is the file's layer {@code file}. */
    WeightNames layer(String own, String file) {
        return rule(own, Kind.WHOLE, file);
    }

    /** The same, but the file's weight is [in, out]. */
    WeightNames transposed(String own, String file) {
        return rule(own, Kind.TRANSPOSED, file);
    }

    /** Our fused projection holds the rows of three of the file's layers. */
    WeightNames queriesKeysValues(String queries, String keys, String values) {
        return rule("blocks.{}.attention.qkv", Kind.QUERIES_KEYS_VALUES, queries, keys, values);
    }

    /** The file's fused projection has query, key and value rows of the first head, then of the second, and so on. */
    WeightNames interleavedHeads(String file) {
        return rule("blocks.{}.attention.qkv", Kind.INTERLEAVED_HEADS, file);
    }

    /** Our gated projection holds the rows of two of the file's layers. */
    WeightNames gateAndUp(String gate, String up) {
        return rule("blocks.{}.feedForward.input", Kind.HALVES, gate, up);
    }

    /** The language-model head is called {@code file}, without prefix; {@code lm_head} is understood too. */
    WeightNames head(String file) {
        head = file;
        return this;
    }

    /** Tensors whose names without prefix match {@code pattern} hold nothing that is learned. */
    WeightNames ignore(String pattern) {
        ignored.add(Pattern.compile(pattern));
        return this;
    }

    private WeightNames rule(String own, Kind kind, String... files) {
        rules.put(own, new Rule(kind, List.of(files)));
        return this;
    }

    /** What backbone names begin with. */
    public String prefix() {
        return prefix;
    }

    /** Other names that a file may have for the tensor {@code name}: without prefix, or with the usual name of a head. */
    public List<String> otherNames(String name) {
        if (name.startsWith(prefix)) {
            return List.of(name.substring(prefix.length()));
        }
        return name.startsWith(head + ".") ? List.of(USUAL_HEAD + name.substring(head.length())) : List.of();
    }

    /** Whether a file may hold a tensor of this name that the model has no parameter for. */
    public boolean ignorable(String name) {
        String bare = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
        return name.startsWith(head + ".")
                || name.startsWith(USUAL_HEAD + ".")
                || name.equals("score.weight")
                || ignored.stream().anyMatch(pattern -> pattern.matcher(bare).matches());
    }

    /** The tensors of a file that make up {@code parameter}. */
    public List<HubTensor> tensorsOf(Parameter parameter, TransformerConfig config) {
        String name = parameter.name();
        String layer = name.substring(0, name.lastIndexOf('.'));
        String suffix = name.substring(name.lastIndexOf('.'));
        if (layer.equals("head") || layer.equals("score")) {
            String file = layer.equals("head") ? head : layer;
            return List.of(HubTensor.whole(file + suffix, parameter));
        }
        Matcher block = BLOCK.matcher(layer);
        String number = block.find() ? block.group(1) : "";
        Rule rule = rules.get(block.replaceFirst("blocks.{}."));
        if (rule == null) {
            throw new IllegalStateException("no name for " + parameter);
        }
        List<String> files = rule.files().stream()
                .map(file -> prefix + file.replace("{}", number) + suffix)
                .toList();
        return tensors(rule.kind(), files, parameter, config.attention());
    }

    private static List<HubTensor> tensors(
            Kind kind, List<String> files, Parameter parameter, TransformerConfig.Attention attention) {
        int queries = attention.heads() * attention.headDim();
        int keys = attention.kvHeads() * attention.headDim();
        return switch (kind) {
            case WHOLE -> List.of(HubTensor.whole(files.get(0), parameter));
            case TRANSPOSED ->
                List.of(
                        parameter.shape().length == 2
                                ? HubTensor.transposed(files.get(0), parameter)
                                : HubTensor.whole(files.get(0), parameter));
            case QUERIES_KEYS_VALUES ->
                List.of(
                        HubTensor.rows(files.get(0), parameter, 0, queries),
                        HubTensor.rows(files.get(1), parameter, queries, queries + keys),
                        HubTensor.rows(files.get(2), parameter, queries + keys, queries + 2 * keys));
            case HALVES -> {
                int half = parameter.shape()[0] / 2;
                yield List.of(
                        HubTensor.rows(files.get(0), parameter, 0, half),
                        HubTensor.rows(files.get(1), parameter, half, 2 * half));
            }
            case INTERLEAVED_HEADS ->
                List.of(HubTensor.interleavedHeads(files.get(0), parameter, attention.heads(), attention.headDim()));
        };
    }
}
