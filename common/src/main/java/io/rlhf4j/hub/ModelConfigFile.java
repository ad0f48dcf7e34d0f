package io.rlhf4j.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.model.family.HubConfig;
import io.rlhf4j.model.family.ModelFamily;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads a directory's config.json, and writes the one of an exported model. */
final class ModelConfigFile {
    static final String NAME = "config.json";
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private ModelConfigFile() {}

    static HubConfig read(FileSystem files, Path directory) throws IOException {
        Path file = new Path(directory, NAME);
        if (!files.exists(file)) {
            throw Rlhf4jException.configuration(
                    "%s: there is no %s; is this a model's directory in Hugging Face's layout?"
                            .formatted(directory, NAME));
        }
        return HubConfig.parse(file.toString(), TextFiles.read(files, file));
    }

    /** Whether it describes a sequence classifier. */
    static boolean describesScoreModel(HubConfig json) {
        return json.texts("architectures").stream().anyMatch(name -> name.endsWith("ForSequenceClassification"));
    }

    /** The configuration of a causal language model. */
    static String ofCausal(ModelFamily family, HubConfig source, ElementType type) throws IOException {
        ObjectNode json = common(source, family.causalClass(), type);
        json.remove(List.of("id2label", "label2id", "num_labels", "problem_type"));
        return MAPPER.writeValueAsString(json);
    }

    /**
     * The configuration of a score model.
     *
     * @param pad the padding token, by which transformers finds the last real one
     */
    static String ofScore(ModelFamily family, HubConfig source, ElementType type, int pad) throws IOException {
        ObjectNode json = common(source, family.scoreClass(), type);
        json.remove(List.of("num_labels", "problem_type"));
        json.putObject("id2label").put("0", "LABEL_0");
        json.putObject("label2id").put("LABEL_0", 0);
        json.put("pad_token_id", pad);
        return MAPPER.writeValueAsString(json);
    }

    private static ObjectNode common(HubConfig source, String architecture, ElementType type) {
        ObjectNode json = source.json();
        json.putArray("architectures").add(architecture);
        String name =
                switch (type) {
                    case F32 -> "float32";
                    case BF16 -> "bfloat16";
                    case F16 -> "float16";
                    default -> throw new IllegalArgumentException("models are not stored as " + type);
                };
        json.put(json.has("dtype") ? "dtype" : "torch_dtype", name);
        return json;
    }
}
