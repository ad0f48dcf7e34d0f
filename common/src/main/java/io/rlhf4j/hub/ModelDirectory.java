package io.rlhf4j.hub;

import io.rlhf4j.format.ElementType;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Reads and writes model directories in Hugging Face's layout: config.json, weights, tokenizer and their companions. */
public final class ModelDirectory {
    private final Configuration configuration;

    public ModelDirectory(Configuration configuration) {
        this.configuration = configuration;
    }

    /**
     * Loads a causal language model.
     *
     * @param scope holds its values
     * @param type to which they are rounded
     * @throws io.rlhf4j.error.Rlhf4jException where config.json and weights do not fit together or are of no known family
     */
    public CausalLanguageModel loadCausal(Path directory, Scope scope, DType type) throws IOException {
        throw new UnsupportedOperationException(configuration + " " + directory + scope + type);
    }

    /**
     * Loads a score model. A directory of a causal language model gives its backbone and a fresh head.
     *
     * @param headSeed of the fresh head
     */
    public ScoreModel loadScore(Path directory, Scope scope, DType type, long headSeed) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** A model with random weights, as the config.json of {@code directory} describes it. */
    public CausalLanguageModel initialize(Path directory, Scope scope, DType type, long seed) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Writes a directory from which transformers' AutoModelForCausalLM loads the same model.
     *
     * @param type of the stored weights
     */
    public void save(CausalLanguageModel model, Path directory, ElementType type) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Writes a directory from which transformers' AutoModelForSequenceClassification gives the same scores. */
    public void save(ScoreModel model, Path directory, ElementType type) throws IOException {
        throw new UnsupportedOperationException();
    }
}
