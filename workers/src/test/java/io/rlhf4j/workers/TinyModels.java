package io.rlhf4j.workers;

import io.rlhf4j.hub.ModelDirectory;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.tensor.Backend;
import io.rlhf4j.tensor.Backends;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;

/** Real models of a few thousand parameters with random weights, of several families over one vocabulary of 64 tokens. */
public final class TinyModels {
    /** Tokens of all of them. */
    public static final int VOCABULARY = 64;

    /** The token that ends a response. */
    public static final int EOS = 2;

    /** Architectures. */
    public enum Kind {
        OPT(
                """
                {"model_type": "opt", "architectures": ["OPTForCausalLM"], "activation_function": "relu",
                 "hidden_size": 32, "word_embed_proj_dim": 32, "ffn_dim": 64, "num_hidden_layers": 2,
                 "num_attention_heads": 4, "do_layer_norm_before": true, "max_position_embeddings": 64,
                 "vocab_size": 64, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
                """),
        /** Norms after the blocks and projections around them, as OPT-350m has it. */
        OPT_350M_STYLE(
                """
                {"model_type": "opt", "architectures": ["OPTForCausalLM"], "activation_function": "relu",
                 "hidden_size": 16, "word_embed_proj_dim": 8, "ffn_dim": 32, "num_hidden_layers": 2,
                 "num_attention_heads": 2, "do_layer_norm_before": false, "max_position_embeddings": 64,
                 "vocab_size": 64, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
                """),
        LLAMA(
                """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
                 "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
                 "rope_theta": 10000.0, "tie_word_embeddings": false,
                 "vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
                """),
        SMALLER_LLAMA(
                """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
                 "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2,
                 "num_key_value_heads": 1, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
                 "rope_theta": 10000.0, "tie_word_embeddings": true,
                 "vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
                """);

        private final String config;

        Kind(String config) {
            this.config = config;
        }
    }

    private TinyModels() {}

    /** A backend with one thread, so that ranks as threads do not fight for cores. */
    public static Backend backend() {
        return Backends.onClassPath().choose("cpu", 1).backend();
    }

    /** A language model whose weights follow from the seed. */
    public static CausalLanguageModel causal(Kind kind, Scope scope, DType type, long seed) {
        try {
            Path folder = Files.createTempDirectory("tiny");
            Path config = Files.writeString(folder.resolve("config.json"), kind.config);
            try {
                return new ModelDirectory(new Configuration())
                        .initialize(new org.apache.hadoop.fs.Path(folder.toUri()), scope, type, seed);
            } finally {
                Files.delete(config);
                Files.delete(folder);
            }
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    /** A score model whose weights follow from the seed. */
    public static ScoreModel score(Kind kind, Scope scope, DType type, long seed) {
        try (Scope passing = Scope.root(scope.backend(), "backbone")) {
            return ScoreModel.onBackboneOf(causal(kind, passing, type, seed), scope, type, seed + 1);
        }
    }
}
