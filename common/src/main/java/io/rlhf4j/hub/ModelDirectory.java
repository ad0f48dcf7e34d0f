package io.rlhf4j.hub;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.model.CausalLanguageModel;
import io.rlhf4j.model.LayeredModel;
import io.rlhf4j.model.LoadedUnits;
import io.rlhf4j.model.ModelSource;
import io.rlhf4j.model.ParameterUnit;
import io.rlhf4j.model.ScoreModel;
import io.rlhf4j.model.TransformerConfig;
import io.rlhf4j.model.family.HubConfig;
import io.rlhf4j.model.family.ModelFamilies;
import io.rlhf4j.model.family.ModelFamily;
import io.rlhf4j.tensor.DType;
import io.rlhf4j.tensor.Scope;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads and writes model directories in Hugging Face's layout: config.json, weights, tokenizer and their companions. */
public final class ModelDirectory {
    private static final String SCORE = "score.weight";
    private static final Pattern WEIGHTS =
            Pattern.compile("(model|pytorch_model)(-\\d+-of-\\d+)?\\.(safetensors|bin)(\\.index\\.json)?");

    private final Configuration configuration;

    public ModelDirectory(Configuration configuration) {
        this.configuration = configuration;
    }

    /** What a directory holds, told without reading weights. */
    public ModelDescription describe(Path directory) throws IOException {
        HubConfig json = configOf(directory);
        ModelFamily family = ModelFamilies.of(json);
        TransformerConfig config = config(family, json);
        boolean score = ModelConfigFile.describesScoreModel(json);
        return new ModelDescription(
                family.modelType(),
                config,
                score,
                !weightFiles(directory).isEmpty(),
                score ? ScoreModel.layout(config) : CausalLanguageModel.layout(config));
    }

    /**
     * Loads a causal language model.
     *
     * @param scope holds its values
     * @param type to which they are rounded
     * @throws Rlhf4jException where config.json and weights do not fit together or are of no known family
     */
    public CausalLanguageModel loadCausal(Path directory, Scope scope, DType type) throws IOException {
        return loadCausal(directory, scope, type, LoadedUnits.KEPT);
    }

    /** {@link #loadCausal(Path, Scope, DType)}, where {@code loaded} may take each unit's values before the next is read. */
    public CausalLanguageModel loadCausal(Path directory, Scope scope, DType type, LoadedUnits loaded)
            throws IOException {
        HubConfig json = configOf(directory);
        ModelFamily family = ModelFamilies.of(json);
        TransformerConfig config = config(family, json);
        CausalLanguageModel model = CausalLanguageModel.unloaded(config, source(family, json, directory), scope, type);
        try (TensorReader weights = new TensorFiles(configuration).openModel(directory)) {
            new WeightReader(weights, family.weightNames())
                    .read(
                            new WeightBinding(family, config, model.units()),
                            Set.of(),
                            unit -> unit.allocate(scope, type),
                            loaded);
        }
        return model;
    }

    /**
     * Loads a score model. A directory of a causal language model gives its backbone and a fresh head.
     *
     * @param headSeed of the fresh head
     */
    public ScoreModel loadScore(Path directory, Scope scope, DType type, long headSeed) throws IOException {
        return loadScore(directory, scope, type, headSeed, LoadedUnits.KEPT);
    }

    /** {@link #loadScore(Path, Scope, DType, long)}, where {@code loaded} may take each unit's values before the next is read. */
    public ScoreModel loadScore(Path directory, Scope scope, DType type, long headSeed, LoadedUnits loaded)
            throws IOException {
        HubConfig json = configOf(directory);
        ModelFamily family = ModelFamilies.of(json);
        TransformerConfig config = config(family, json);
        ScoreModel model = ScoreModel.unloaded(config, source(family, json, directory), scope, type);
        try (TensorReader weights = new TensorFiles(configuration).openModel(directory)) {
            boolean headMissing = ModelConfigFile.describesScoreModel(json) && !weights.contains(SCORE);
            if (headMissing) {
                throw Rlhf4jException.data(
                        "%s: tensor '%s' is missing, though config.json describes a sequence classifier"
                                .formatted(weights.origin(), SCORE));
            }
            new WeightReader(weights, family.weightNames())
                    .read(
                            new WeightBinding(family, config, model.units()),
                            Set.of(SCORE),
                            unit -> {
                                unit.allocate(scope, type);
                                if (model.isHead(unit)) {
                                    model.initialiseHead(headSeed);
                                }
                            },
                            loaded);
        }
        return model;
    }

    /** A model with random weights, as the config.json of {@code directory} describes it. */
    public CausalLanguageModel initialize(Path directory, Scope scope, DType type, long seed) throws IOException {
        HubConfig json = configOf(directory);
        ModelFamily family = ModelFamilies.of(json);
        CausalLanguageModel model =
                new CausalLanguageModel(config(family, json), source(family, json, directory), scope, type);
        model.initialise(seed);
        return model;
    }

    /** What config.json describes; refused where no model can be made of it. */
    private static TransformerConfig config(ModelFamily family, HubConfig json) {
        try {
            TransformerConfig config = family.config(json);
            CausalLanguageModel.layout(config);
            return config;
        } catch (IllegalArgumentException | ArithmeticException unfit) {
            throw json.refusal("its sizes do not fit together: %s; is the file damaged?".formatted(unfit.getMessage()));
        }
    }

    /**
     * Writes a directory from which transformers' AutoModelForCausalLM loads the same model. Older weights in it are
     * removed. Units are used one after the other, as in a forward pass.
     *
     * @param type of the stored weights
     */
    public void save(CausalLanguageModel model, Path directory, ElementType type) throws IOException {
        HubConfig json =
                HubConfig.parse("config.json of the model", model.source().configJson());
        ModelFamily family = ModelFamilies.of(json);
        String config = ModelConfigFile.ofCausal(family, json, type);
        save(new WeightBinding(family, model.config(), model.units()), model, model.source(), config, directory, type);
    }

    /** Writes a directory from which transformers' AutoModelForSequenceClassification gives the same scores. */
    public void save(ScoreModel model, Path directory, ElementType type) throws IOException {
        HubConfig json =
                HubConfig.parse("config.json of the model", model.source().configJson());
        ModelFamily family = ModelFamilies.of(json);
        int pad = companionsOf(model.source(), directory)
                .padToken(json)
                .orElseThrow(
                        () -> json.refusal("neither pad_token_id nor eos_token_id is set, and without padding token "
                                + "transformers cannot find a row's last real token; add pad_token_id"));
        String config = ModelConfigFile.ofScore(family, json, type, pad);
        save(new WeightBinding(family, model.config(), model.units()), model, model.source(), config, directory, type);
    }

    private void save(
            WeightBinding binding,
            LayeredModel model,
            ModelSource source,
            String config,
            Path directory,
            ElementType type)
            throws IOException {
        FileSystem files = PlainFiles.fileSystem(directory, configuration);
        files.mkdirs(directory);
        for (Path old : weightFiles(directory)) {
            files.delete(old, false);
        }
        new WeightWriter(configuration, model.hooks()).write(binding, directory, type);
        companionsOf(source, directory).copyTo(directory);
        TextFiles.write(files, new Path(directory, ModelConfigFile.NAME), config);
    }

    private Companions companionsOf(ModelSource source, Path otherwise) {
        return new Companions(configuration, source.directory() == null ? otherwise : new Path(source.directory()));
    }

    private HubConfig configOf(Path directory) throws IOException {
        return ModelConfigFile.read(PlainFiles.fileSystem(directory, configuration), directory);
    }

    private List<Path> weightFiles(Path directory) throws IOException {
        return Stream.of(PlainFiles.fileSystem(directory, configuration).listStatus(directory))
                .map(FileStatus::getPath)
                .filter(file -> WEIGHTS.matcher(file.getName()).matches())
                .toList();
    }

    private static ModelSource source(ModelFamily family, HubConfig json, Path directory) {
        return new ModelSource(family.modelType(), json.json().toString(), directory.toString());
    }

    /** Parameters of {@code units} under the names that the model's files use. */
    public static WeightBinding bind(ModelSource source, TransformerConfig config, List<ParameterUnit> units) {
        return new WeightBinding(
                ModelFamilies.of(HubConfig.parse("config.json of the model", source.configJson())), config, units);
    }
}
