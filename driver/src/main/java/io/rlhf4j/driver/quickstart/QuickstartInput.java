package io.rlhf4j.driver.quickstart;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rlhf4j.driver.supportdesk.SupportDeskData;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import io.rlhf4j.tokenizer.training.ByteLevelBpe;
import io.rlhf4j.tokenizer.training.ByteLevelBpeTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/**
 * What the quickstart starts from, all made here: the support desk's rows, a tokenizer learned from them, and a small model
 * of LLaMA's architecture with random weights, as a Hugging Face directory.
 */
public final class QuickstartInput {
    private static final String PAD = "<|pad|>";
    private static final String USER = "<|user|>";
    private static final String ASSISTANT = "<|assistant|>";
    private static final String END = "<|end|>";
    private static final String CHAT_TEMPLATE = "{% for message in messages %}"
            + "{{ '<|user|>' if message['role'] == 'user' else '<|assistant|>' }}{{ message['content'] }}"
            + "{% if message['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
            + "{% if add_generation_prompt %}<|assistant|>{% endif %}";

    private static final int VOCABULARY = 640;
    private static final int HIDDEN = 128;
    private static final int LAYERS = 4;
    private static final int HEADS = 4;
    private static final int CONTEXT = 160;

    private final Path folder;
    private final long seed;

    /**
     * @param folder to write to
     * @param seed of data and weights
     */
    public QuickstartInput(Path folder, long seed) {
        this.folder = folder;
        this.seed = seed;
    }

    /** Where the rows lie. */
    public Path data() {
        return folder.resolve("data");
    }

    /** Where the model lies. */
    public Path model() {
        return folder.resolve("model");
    }

    /** Writes everything, unless an earlier start has. */
    public void write(Backend backend) throws IOException {
        Path done = folder.resolve("complete");
        if (Files.exists(done)) {
            return;
        }
        SupportDeskData.write(data(), seed, SupportDeskData.Sizes.quickstart());
        Files.createDirectories(model());
        ByteLevelBpe vocabulary =
                new ByteLevelBpeTrainer(VOCABULARY, List.of(PAD, USER, ASSISTANT, END)).train(texts());
        Files.writeString(model().resolve("tokenizer.json"), vocabulary.toJson());
        Files.writeString(model().resolve("tokenizer_config.json"), tokenizerConfig());
        Files.writeString(model().resolve("config.json"), modelConfig(vocabulary));
        writeWeights(backend);
        Files.writeString(done, "");
    }

    private void writeWeights(Backend backend) throws IOException {
        org.apache.hadoop.fs.Path directory = new org.apache.hadoop.fs.Path(model().toUri());
        ModelDirectory models = new ModelDirectory(new Configuration());
        try (Scope scope = Scope.root(backend, "quickstart")) {
            models.save(models.initialize(directory, scope, DType.FP32, seed), directory, ElementType.F32);
        }
    }

    private List<String> texts() throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<String> texts = new ArrayList<>();
        for (String file : List.of("demonstrations.jsonl", "preferences.jsonl")) {
            for (String line : Files.readAllLines(data().resolve(file))) {
                json.readTree(line).forEach(value -> texts.add(value.asText()));
            }
        }
        return texts;
    }

    private static String tokenizerConfig() {
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        config.put("pad_token", PAD);
        config.put("eos_token", END);
        config.put("model_max_length", CONTEXT);
        config.put("clean_up_tokenization_spaces", false);
        config.put("chat_template", CHAT_TEMPLATE);
        return config.toPrettyString();
    }

    private static String modelConfig(ByteLevelBpe vocabulary) {
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.putArray("architectures").add("LlamaForCausalLM");
        config.put("model_type", "llama");
        config.put("vocab_size", vocabulary.size());
        config.put("hidden_size", HIDDEN);
        config.put("intermediate_size", 3 * HIDDEN);
        config.put("num_hidden_layers", LAYERS);
        config.put("num_attention_heads", HEADS);
        config.put("num_key_value_heads", HEADS);
        config.put("max_position_embeddings", CONTEXT);
        config.put("hidden_act", "silu");
        config.put("rms_norm_eps", 1e-5);
        config.put("rope_theta", 10000.0);
        config.put("initializer_range", 0.02);
        config.put("tie_word_embeddings", true);
        config.put("pad_token_id", vocabulary.specialTokens().indexOf(PAD));
        config.put("eos_token_id", vocabulary.specialTokens().indexOf(END));
        return config.toPrettyString();
    }
}
