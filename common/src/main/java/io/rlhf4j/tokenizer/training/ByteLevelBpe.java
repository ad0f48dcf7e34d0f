package io.rlhf4j.tokenizer.training;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A byte-level BPE vocabulary, in the form of {@code tokenizer.json}.
 *
 * @param specialTokens tokens that stand for themselves; their ids come first
 * @param tokens the other tokens in the order of their ids: 256 bytes, then one for each merge
 * @param merges pairs of tokens that become one, the most frequent first
 */
public record ByteLevelBpe(List<String> specialTokens, List<String> tokens, List<Merge> merges) {
    /** Two tokens that become one. */
    public record Merge(String left, String right) {}

    public ByteLevelBpe {
        specialTokens = List.copyOf(specialTokens);
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
    }

    /** The number of ids. */
    public int size() {
        return specialTokens.size() + tokens.size();
    }

    /** The content of {@code tokenizer.json}. */
    public String toJson() {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = mapper.createObjectNode();
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        ObjectNode vocabulary = mapper.createObjectNode();
        for (String special : specialTokens) {
            ObjectNode token = added.addObject();
            token.put("id", vocabulary.size());
            token.put("content", special);
            token.put("single_word", false);
            token.put("lstrip", false);
            token.put("rstrip", false);
            token.put("normalized", false);
            token.put("special", true);
            vocabulary.put(special, vocabulary.size());
        }
        for (String token : tokens) {
            vocabulary.put(token, vocabulary.size());
        }
        root.putNull("normalizer");
        byteLevel(root.putObject("pre_tokenizer"));
        byteLevel(root.putObject("post_processor"));
        byteLevel(root.putObject("decoder"));
        ObjectNode model = root.putObject("model");
        model.put("type", "BPE");
        model.putNull("dropout");
        model.putNull("unk_token");
        model.putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix");
        model.put("fuse_unk", false);
        model.put("byte_fallback", false);
        model.put("ignore_merges", false);
        model.set("vocab", vocabulary);
        ArrayNode pairs = model.putArray("merges");
        merges.forEach(merge -> pairs.addArray().add(merge.left()).add(merge.right()));
        return root.toPrettyString();
    }

    private static void byteLevel(ObjectNode node) {
        node.put("type", "ByteLevel");
        node.put("add_prefix_space", false);
        node.put("trim_offsets", true);
        node.put("use_regex", true);
    }
}
