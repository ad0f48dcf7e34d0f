package io.rlhf4j.hub;

import io.rlhf4j.error.Rlhf4jException;
import io.rlhf4j.format.ElementType;
import io.rlhf4j.format.FileHashes;
import io.rlhf4j.format.PlainFiles;
import io.rlhf4j.format.TensorFiles;
import io.rlhf4j.format.TensorReader;
import io.rlhf4j.format.WrittenFile;
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
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
    private final FileHashes hashes;

    public ModelDirectory(Configuration configuration) {
        this(configuration, FileHashes.ANY);
    }

    /**
     * Directories whose files of weights have to have hashes. They are computed while the weights are loaded; where one
     * differs, loading ends with an exception of kind RETRYABLE.
     */
    public ModelDirectory(Configuration configuration, FileHashes hashes) {
        this.configuration = configuration;
        this.hashes = hashes;
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
        try (TensorReader weights = new TensorFiles(configuration, hashes).openModel(directory)) {
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
        try (TensorReader weights = new TensorFiles(configuration, hashes).openModel(directory)) {
            new WeightReader(weights, family.weightNames())
                    .read(
                            new WeightBinding(family, config, model.units()),
                            ModelConfigFile.describesScoreModel(json) ? Set.of() : Set.of(SCORE),
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
     * Writes a directory from which transformers' AutoModelForCausalLM, or AutoModelForSequenceClassification, loads the same
     * model. Older weights in it are removed. Units are used one after the other, as in a forward pass.
     *
     * @param type of the stored weights
     */
    public void save(LayeredModel model, Path directory, ElementType type) throws IOException {
        String config = configFor(model, directory, type);
        FileSystem files = PlainFiles.fileSystem(directory, configuration);
        files.mkdirs(directory);
        for (Path old : weightFiles(directory)) {
            files.delete(old, false);
        }
        writer(model, type).write(directory);
        writeDescription(model, directory, config);
    }

    /**
     * Writes one share of the weights into a directory that has none yet. All shares and {@link #saveDescription} come to what
     * {@link #save} writes, in other files.
     */
    public List<WrittenFile> saveShare(LayeredModel model, Path directory, ElementType type, ModelShare share)
            throws IOException {
        return writer(model, type).write(directory, share);
    }

    /** Writes what a directory has beside its weights: tokenizer and other companions, and config.json. */
    public List<WrittenFile> saveDescription(LayeredModel model, Path directory, ElementType type) throws IOException {
        return writeDescription(model, directory, configFor(model, directory, type));
    }

    private WeightWriter writer(LayeredModel model, ElementType type) {
        return new WeightWriter(configuration, model, bind(model.source(), model.config(), model.units()), type);
    }

    private String configFor(LayeredModel model, Path directory, ElementType type) throws IOException {
        HubConfig json =
                HubConfig.parse("config.json of the model", model.source().configJson());
        ModelFamily family = ModelFamilies.of(json);
        if (model instanceof CausalLanguageModel) {
            return ModelConfigFile.ofCausal(family, json, type);
        }
        int pad = companionsOf(model.source(), directory)
                .padToken(json)
                .orElseThrow(
                        () -> json.refusal("neither pad_token_id nor eos_token_id is set, and without padding token "
                                + "transformers cannot find a row's last real token; add pad_token_id"));
        return ModelConfigFile.ofScore(family, json, type, pad);
    }

    private List<WrittenFile> writeDescription(LayeredModel model, Path directory, String config) throws IOException {
        List<WrittenFile> written =
                new ArrayList<>(companionsOf(model.source(), directory).copyTo(directory));
        written.add(PlainFiles.write(
                new Path(directory, ModelConfigFile.NAME),
                out -> out.write(config.getBytes(StandardCharsets.UTF_8)),
                configuration));
        return written;
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
